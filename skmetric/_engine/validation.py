"""Validation: how good a network is on rows that it does not learn from."""

from .network import CHUNK, outputs


class Validation:
    """The score of a network on some rows, as it is whenever it is asked for.

    Parameters
    ----------
    network : Network
        Network that is trained.
    X : ndarray or CSR matrix of shape (n_samples, n_features)
        Rows; never copied whole.
    rows : ndarray of int of shape (n,)
        Row numbers to validate on.
    targets : sequence of ndarray of shape (n, ...)
        What `measure` takes after the outputs of these rows.
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
        """Return the score of the network as it is now."""
        network = self.network.for_inference(min(CHUNK, len(self.rows)))
        return self.measure(outputs(network, self.X, self.rows), *self.targets)
