"""Several networks that are trained and run together, with concatenated outputs."""

from functools import partial
from itertools import chain

import numpy as np

from .._team import share


class SideBySide:
    """Networks with the same widths and different weights. It has the interface of a `Network`.

    Parameters
    ----------
    networks : list of Network
        At least two networks. The first one gathers and standardises the rows.
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
        """Total number of outputs."""
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
        """Return the gradients of all `blocks`."""
        return _joined(network.gradients() for network in self.networks)

    def for_inference(self, batch_size):
        """Return networks without dropout, see `Network.for_inference`."""
        return SideBySide([network.for_inference(batch_size) for network in self.networks])

    def unfold_normalization(self):
        """Unfold the normalisation of each network, see `Network.unfold_normalization`."""
        for network in self.networks:
            network.unfold_normalization()

    def folded_parameters(self):
        """Return the weights and biases of each layer, stacked along a new first axis."""
        folded = [network.folded_parameters() for network in self.networks]
        return [[np.stack(layer) for layer in zip(*arrays)] for arrays in zip(*folded)]

    def forward(self, batch):
        """Compute the outputs of a batch, see `Network.forward`.

        Parameters
        ----------
        batch : ndarray of shape (n, n_features)
            Rows, at most as many as the buffers have.

        Returns
        -------
        ndarray of shape (n, n_outputs)
            A new array.
        """
        # The first network comes last, because its dropout of inputs changes the batch in its buffer.
        for network in reversed(self.networks):
            network.begin(batch)
        share([network.propagate for network in self.networks])
        return np.hstack([network.batch.H[-1] for network in self.networks])

    def infer(self, rows):
        """Compute outputs for inference, see `Network.infer`."""
        return np.hstack([network.infer(rows) for network in self.networks])

    def backward(self, dZ):
        """Propagate a gradient with respect to the outputs back; each network gets its own columns."""
        parts = np.split(dZ, len(self.networks), axis=1)
        share([partial(network.backward, part) for network, part in zip(self.networks, parts)])

    def input_gradient(self):
        """Compute the gradient with respect to the rows of the batch: the sum over the networks."""
        return sum(network.input_gradient() for network in self.networks)


def _joined(lists):
    return list(chain.from_iterable(lists))


def side_by_side(networks):
    """Return one network that contains all networks of a list; a single network is returned as it is."""
    return SideBySide(networks) if len(networks) > 1 else networks[0]


def apart(coefs, intercepts):
    """Return the weights and biases of each network: the inverse of `folded_parameters`.

    Parameters
    ----------
    coefs, intercepts : list of ndarray
        Weights and biases of one network, or stacked ones of several networks.

    Returns
    -------
    list of tuple
        Weights and biases of each network.
    """
    if coefs[0].ndim == 2:
        return [(list(coefs), list(intercepts))]
    numbers = range(len(coefs[0]))
    return [([W[k] for W in coefs], [b[k] for b in intercepts]) for k in numbers]
