"""Validation: the score of a network on rows that it is not trained on."""

from .divergence import raise_if_diverged
from .network import CHUNK, outputs


class Validation:
    """The score of a network on some rows, during training.

    Parameters
    ----------
    network : Network
        Network that is trained.
    X : ndarray or CSR matrix of shape (n_samples, n_features)
        Rows; never copied as a whole.
    rows : ndarray of int of shape (n,)
        Numbers of the validation rows.
    targets : sequence of ndarray of shape (n, ...)
        Arguments of `measure` after the outputs of these rows.
    measure : callable
        ``measure(Z, *targets) -> float``, higher is better.
    """

    def __init__(self, network, X, rows, targets, measure):
        self.network = network
        self.X = X
        self.rows = rows
        self.targets = targets
        self.measure = measure

    def score(self):
        """Compute the score of the current network; raise FloatingPointError if it diverged."""
        network = self.network.for_inference(min(CHUNK, len(self.rows)))
        Z = outputs(network, self.X, self.rows)
        raise_if_diverged(Z)
        return self.measure(Z, *self.targets)
