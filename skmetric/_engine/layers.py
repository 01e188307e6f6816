"""Dense layers for the rows of a batch, and the gradients of their parameters."""

from functools import cached_property, partial

import numpy as np

from .._team import share
from .batch_normalization import ArrayGradient
from .gemm import Gemm
from .tiles import tiles_of_columns, tiles_of_rows


class LinearLayer:
    """The last layer: ``Z = H W + b``.

    Parameters
    ----------
    network : Network
        Whose layer.
    number : int
        Which of its layers.
    n : int
        Number of rows.
    """

    def __init__(self, network, number, n):
        W = network.coefs[number]
        self.A = network.buffers[number + 1][:n]
        self.b = network.intercepts[number]
        cuts = tiles_of_columns(n, *W.shape)
        self.parts = [(W[:, units], self.A[:, units]) for units in cuts]
        self.products = self._products(network.buffers[number][:n])

    def _products(self, H):
        return [partial(np.matmul, H, W, A) for W, A in self.parts]

    def forward(self):
        """Compute the outputs of a batch from those of the layer before."""
        share(self.products)
        self.A += self.b

    def infer(self, H):
        """As `forward`, from other rows than those of the buffer; nothing is dropped."""
        share(self._products(H))
        self.A += self.b


class HiddenLayer(LinearLayer):
    """A hidden layer: ``f(normalize(H W) + b)``, of which units may be dropped.

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

    @cached_property
    def products_back(self):
        """Products that carry the gradients of the next layer back."""
        cuts = tiles_of_columns(len(self.next_delta), *self.next_W.T.shape)
        return [
            partial(np.matmul, self.next_delta, self.next_W[units].T, self.delta[:, units])
            for units in cuts
        ]

    def forward(self):
        """Compute the outputs of a batch from those of the layer before, and drop some."""
        share(self.products)
        self.normalization.normalize(self.number, self.A)
        share(self.activations_and_drops)

    def infer(self, H):
        """As `forward`, from other rows than those of the buffer; nothing is dropped."""
        share(self._products(H))
        self.normalization.normalize(self.number, self.A)
        share(self.activations)

    def backward(self):
        """Compute the gradients on ``H W`` from those on ``H W + b`` of the next layer."""
        share(self.products_back)
        share(self.chains_back)
        self.normalization.backward(self.number, self.delta)


class HiddenTile:
    """Some rows of the units of a hidden layer, and what is done to them element by element.

    Parameters
    ----------
    network : Network
        Whose units.
    number : int
        Of which of its layers.
    rows : slice
        Which rows.
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
        """Turn ``H W`` into outputs."""
        self.A += self.b
        self.value(self.A)

    def activate_and_drop(self):
        """As `activate`, and drop some units."""
        self.activate()
        if self.dropout:
            self.A *= self.mask

    def chain_back(self):
        """Turn the gradients on the outputs into those before the activation."""
        A = self.A
        if self.dropout:
            self.delta *= self.mask
            # The derivative is a function of the output as it was before units were dropped.
            A = A * (1 - self.dropout)
        self.chain(A, self.delta)


class WeightGradient:
    """``g = H.T @ delta``, not computed before it is known where it goes."""

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
