"""Several networks that are trained together and run together: their outputs stand side by side."""

from functools import partial
from itertools import chain

import numpy as np

from .._team import share


class SideBySide:
    """Networks of the same widths, each with weights of its own. It is used as one `Network`.

    Parameters
    ----------
    networks : list of Network
        Two or more. Rows are gathered and standardised by the first.
    """

    def __init__(self, networks):
        self.networks = networks
        first = networks[0]
        self.batch_size = first.batch_size
        self.dtype = first.dtype
        self.standardization = first.standardization
        self.gather = first.gather

    @property
    def n_outputs(self):
        """Number of outputs of all networks."""
        return sum(network.n_outputs for network in self.networks)

    @property
    def parameters(self):
        """Parameters of all networks, one network after the other."""
        return _joined(network.parameters for network in self.networks)

    @property
    def blocks(self):
        """Blocks of all networks, see `Network.blocks`."""
        return _joined(network.blocks for network in self.networks)

    def gradients(self):
        """Gradients of all `blocks`."""
        return _joined(network.gradients() for network in self.networks)

    def for_inference(self, batch_size):
        """Return networks without dropout, see `Network.for_inference`."""
        return SideBySide([network.for_inference(batch_size) for network in self.networks])

    def unfold_normalization(self):
        """Do for each network what `Network.unfold_normalization` does."""
        for network in self.networks:
            network.unfold_normalization()

    def folded_parameters(self):
        """Return weights and biases of each layer, stacked along a first axis."""
        folded = [network.folded_parameters() for network in self.networks]
        return [[np.stack(layer) for layer in zip(*arrays)] for arrays in zip(*folded)]

    def forward(self, batch):
        """Outputs of a batch, see `Network.forward`.

        Parameters
        ----------
        batch : ndarray of shape (n, n_features)
            At most as many rows as the buffers have.

        Returns
        -------
        ndarray of shape (n, n_outputs)
            A new array.
        """
        # The first network last: it may drop inputs of the batch, which lies in its buffer.
        for network in reversed(self.networks):
            network.begin(batch)
        share([network.propagate for network in self.networks])
        return np.hstack([network.batch.H[-1] for network in self.networks])

    def infer(self, rows):
        """As `forward`, where nothing is learned, see `Network.infer`."""
        return np.hstack([network.infer(rows) for network in self.networks])

    def backward(self, dZ):
        """Carry a gradient on the outputs back, to each network its own columns."""
        parts = np.split(dZ, len(self.networks), axis=1)
        share([partial(network.backward, part) for network, part in zip(self.networks, parts)])

    def input_gradient(self):
        """Gradient on the rows of the batch, after `backward`: the sum of those of the networks."""
        return sum(network.input_gradient() for network in self.networks)


def _joined(lists):
    return list(chain.from_iterable(lists))


def side_by_side(networks):
    """Return a list of networks as one that holds all; a single one as it is."""
    return SideBySide(networks) if len(networks) > 1 else networks[0]


def apart(coefs, intercepts):
    """Return the weights and biases of each network that `folded_parameters` gave.

    Parameters
    ----------
    coefs, intercepts : list of ndarray
        Of one network, or stacked.

    Returns
    -------
    list of tuple
        Coefs and intercepts of each.
    """
    if coefs[0].ndim == 2:
        return [(list(coefs), list(intercepts))]
    numbers = range(len(coefs[0]))
    return [([W[k] for W in coefs], [b[k] for b in intercepts]) for k in numbers]
