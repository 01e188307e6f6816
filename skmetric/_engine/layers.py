"""Dense layers on the rows of a batch, and the gradients of their parameters."""

from functools import partial

import numpy as np

from .._lazy import lazy
from .._team import share
from .batch_normalization import ArrayGradient
from .gemm import Gemm
from .sparse_rows import SparseRows
from .tiles import tiles_of_columns, tiles_of_rows


class LinearLayer:
    """The last layer: ``Z = H W + b``.

    Parameters
    ----------
    network : Network
        Network that the layer belongs to.
    number : int
        Number of the layer.
    n : int
        Number of rows.
    """

    def __init__(self, network, number, n):
        W = network.coefs[number]
        self.W = W
        self.A = network.buffers[number + 1][:n]
        self.b = network.intercepts[number]
        cuts = tiles_of_columns(n, *W.shape)
        self.parts = [(W[:, units], self.A[:, units]) for units in cuts]
        self.products = self._products(network.buffers[number][:n])

    def _products(self, H):
        if isinstance(H, SparseRows):
            return [partial(H.multiply, self.W, self.A)]
        return [partial(np.matmul, H, W, A) for W, A in self.parts]

    def take(self, rows):
        """Let `forward` multiply sparse rows instead of the input buffer."""
        self.products = self._products(rows)

    def forward(self):
        """Compute the outputs of a batch from those of the layer before."""
        share(self.products)
        self.A += self.b

    def infer(self, H):
        """Compute the outputs of `H`, which need not be a buffer, without dropout."""
        share(self._products(H))
        self.A += self.b


class HiddenLayer(LinearLayer):
    """A hidden layer: ``f(normalize(H W) + b)``, with dropout.

    Parameters
    ----------
    network, number, n
        As in `LinearLayer`.
    """

    def __init__(self, network, number, n):
        super().__init__(network, number, n)
        self.number = number
        self.normalization = network.normalization
        self.delta = network.delta_buffers[number][:n]
        self.tiles = [HiddenTile(network, number, rows) for rows in tiles_of_rows(self.A)]
        self.activations = [tile.activate for tile in self.tiles]
        self.activations_and_drops = [tile.activate_and_drop for tile in self.tiles]
        self.chains_back = [tile.chain_back for tile in self.tiles]
        self.next_W = network.coefs[number + 1]
        self.next_delta = network.delta_buffers[number + 1][:n]

    @lazy
    def products_back(self):
        """Products that propagate the gradient of the next layer back."""
        cuts = tiles_of_columns(len(self.next_delta), *self.next_W.T.shape)
        return [
            partial(np.matmul, self.next_delta, self.next_W[units].T, self.delta[:, units])
            for units in cuts
        ]

    def forward(self):
        """Compute the outputs of a batch from those of the layer before, with dropout."""
        share(self.products)
        self.normalization.normalize(self.number, self.A)
        share(self.activations_and_drops)

    def infer(self, H):
        """Compute the outputs of `H`, which need not be a buffer, without dropout."""
        share(self._products(H))
        self.normalization.normalize(self.number, self.A)
        share(self.activations)

    def backward(self):
        """Compute the gradient with respect to ``H W`` from that of the next layer."""
        share(self.products_back)
        share(self.chains_back)
        self.normalization.backward(self.number, self.delta)


class HiddenTile:
    """Element-wise operations on some rows of a hidden layer.

    Parameters
    ----------
    network : Network
        Network that the layer belongs to.
    number : int
        Number of the layer.
    rows : slice
        Rows of the tile.
    """

    def __init__(self, network, number, rows):
        self.A = network.buffers[number + 1][rows]
        self.b = network.intercepts[number]
        self.delta = network.delta_buffers[number][rows]
        self.value = network.value
        self.chain = network.chain
        self.dropout = network.dropout
        self.mask = network.masks[number + 1][rows]

    def activate(self):
        """Turn ``H W`` into outputs, in place."""
        self.A += self.b
        self.value(self.A)

    def activate_and_drop(self):
        """Turn ``H W`` into outputs with dropout, in place."""
        self.activate()
        if self.dropout:
            self.A *= self.mask

    def chain_back(self):
        """Turn the gradient with respect to the outputs into that before the activation, in place."""
        A = self.A
        if self.dropout:
            self.delta *= self.mask
            # The derivative is a function of the output before dropout.
            A = A * (1 - self.dropout)
        self.chain(A, self.delta)


class WeightGradient:
    """``g = H.T @ delta``, computed only when it is added to an array."""

    def __init__(self, H, delta):
        self.gemm = Gemm(H.T, delta)

    def add_to(self, out, alpha, beta):
        """``out <- beta * out + alpha * g``."""
        if beta == 0:
            np.matmul(self.gemm.left, self.gemm.right, out=out)
            if alpha != 1:
                out *= alpha
        else:
            self.gemm(out, alpha, beta)


class BiasGradient:
    """``g = delta.sum(axis=0)``."""

    def __init__(self, delta, ones):
        self.left = ones
        self.right = delta

    def add_to(self, out, alpha, beta):
        """``out <- beta * out + alpha * g``."""
        ArrayGradient(np.matmul(self.left, self.right)).add_to(out, alpha, beta)
