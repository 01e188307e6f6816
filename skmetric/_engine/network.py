"""The network: dense layers, element-wise activations between them, linear at the end.

All products of a training step go through SciPy's BLAS: NumPy has another one, with threads of its
own, and the two wait for each other where they alternate. Arrays are in C order and BLAS works in
Fortran order, so that each product is written for the transposes: ``out.T = B.T @ A.T``.
"""

import numpy as np
from scipy.linalg import get_blas_funcs
from scipy.sparse import issparse

from .activations import ACTIVATIONS
from .batch_normalization import AS_THEY_ARE, unfolded
from .standardization import AS_THEY_COME

CHUNK = 1024  # rows that go through a network at a time when nothing is learned


class WeightGradient:
    """``g = H.T @ delta``, not computed before it is known where it goes."""

    def __init__(self, H, delta, gemm):
        self.left = delta.T
        self.right = H.T
        self.gemm = gemm

    def add_to(self, out, alpha, beta):
        """``out <- beta * out + alpha * g``."""
        self.gemm(alpha, self.left, self.right, beta=beta, c=out.T, trans_b=1, overwrite_c=1)


class BiasGradient:
    """``g = delta.sum(axis=0)``."""

    def __init__(self, delta, ones, gemv):
        self.matrix = delta.T
        self.ones = ones
        self.gemv = gemv

    def add_to(self, out, alpha, beta):
        """``out <- beta * out + alpha * g``."""
        self.gemv(alpha, self.matrix, self.ones, beta=beta, y=out, overwrite_y=1)


def _is_ready(X, dtype):
    """Whether rows of `X` can be handed to BLAS where they lie."""
    return isinstance(X, np.ndarray) and X.flags.c_contiguous and X.flags.aligned and X.dtype == dtype


class Batch:
    """Views of the first `n` rows of the buffers of a network, made once for each size of batch.

    Parameters
    ----------
    network : Network
        Whose buffers.
    n : int
        Number of rows.
    """

    def __init__(self, network, n):
        self.H = [buffer[:n] for buffer in network.buffers]
        self.deltas = [buffer[:n] for buffer in network.delta_buffers]
        ones = np.ones(n, dtype=network.dtype)
        weights = [WeightGradient(H, delta, network.gemm) for H, delta in zip(self.H, self.deltas)]
        biases = [BiasGradient(delta, ones, network.gemv) for delta in self.deltas]
        self.gradients = network.normalization.gradients(weights, biases)


class Network:
    """Dense layers on top of each other, and the buffers for one batch.

    ``H_0 = X``, ``H_l = f(H_{l-1} W_l + b_l)`` for hidden layers, ``Z = H_{L-1} W_L + b_L``.

    Parameters
    ----------
    coefs : list of ndarray of shape (fan_in, fan_out), C-contiguous float32 or float64
        Weights; used, not copied.
    intercepts : list of ndarray of shape (fan_out,)
        Biases; used, not copied.
    activation : str
        Key of `ACTIVATIONS`.
    batch_size : int
        Rows that the buffers hold.
    dropout : float, default=0.0
        Fraction of hidden units that `forward` drops; the others are scaled by 1 / (1 - dropout).
    input_dropout : float, default=0.0
        The same for the inputs.
    rng : numpy.random.Generator, default=None
        Source of the dropped units; needed with either.
    standardization : Standardization, default=AS_THEY_COME
        What `gather` does to rows.
    normalization : BatchNormalization, default=AS_THEY_ARE
        What is done to hidden units before their activation.

    References
    ----------
    N. Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting",
    JMLR 15, 2014.
    """

    def __init__(
        self,
        coefs,
        intercepts,
        activation,
        batch_size,
        dropout=0.0,
        input_dropout=0.0,
        rng=None,
        standardization=AS_THEY_COME,
        normalization=AS_THEY_ARE,
    ):
        self.coefs = coefs
        self.intercepts = intercepts
        self.activation = activation
        self.batch_size = batch_size
        self.dropout = dropout
        self.input_dropout = input_dropout
        self.rng = rng
        self.standardization = standardization
        self.normalization = normalization
        self.value, self.chain = ACTIVATIONS[activation]
        self.dtype = coefs[0].dtype
        self.gemm, self.gemv = get_blas_funcs(("gemm", "gemv"), dtype=self.dtype)
        widths = [coefs[0].shape[0], *(W.shape[1] for W in coefs)]
        # Zeros, since a product with beta = 0 may still read what it overwrites.
        self.buffers = [np.zeros((batch_size, width), dtype=self.dtype) for width in widths]
        self.delta_buffers = [np.zeros_like(buffer) for buffer in self.buffers[1:]]
        self.masks = [None] * len(coefs)
        self.batches = {}

    def for_inference(self, batch_size):
        """Return a network without dropout, with buffers of its own and batch normalisation folded.

        Without batch normalisation its parameters are those of this network, not copies.
        """
        coefs, intercepts = list(self.coefs), list(self.intercepts)
        for layer in range(len(self.normalization.scales)):
            A = self._pre_activations(coefs, intercepts, layer)
            W, b = self.normalization.fold(layer, coefs[layer], intercepts[layer], A)
            coefs[layer] = W
            intercepts[layer] = b
        return Network(
            coefs, intercepts, self.activation, batch_size, standardization=self.standardization
        )

    def _pre_activations(self, coefs, intercepts, layer):
        """What a layer gives before its activation, for the rows that statistics are computed from."""
        up_to = slice(layer + 1)
        first = Network(
            coefs[up_to],
            intercepts[up_to],
            self.activation,
            CHUNK,
            standardization=self.standardization,
        )
        return outputs(first, self.normalization.X, self.normalization.rows)

    def unfold_normalization(self):
        """Choose biases and scales, in place, with which batch normalisation changes no output."""
        coefs, intercepts = list(self.coefs), [b.copy() for b in self.intercepts]
        for layer, scale in enumerate(self.normalization.scales):
            A = self._pre_activations(coefs, intercepts, layer)
            self.intercepts[layer][...], scale[...] = unfolded(A)

    def folded_parameters(self):
        """Return copies of the weights and biases for rows as they come."""
        folded = self.for_inference(1)
        first, bias = self.standardization.fold(folded.coefs[0], folded.intercepts[0])
        coefs = [first, *(W.copy() for W in folded.coefs[1:])]
        return coefs, [bias, *(b.copy() for b in folded.intercepts[1:])]

    @property
    def n_outputs(self):
        """Number of outputs."""
        return self.coefs[-1].shape[1]

    @property
    def parameters(self):
        """Weights, biases and scales, in the order of `gradients`."""
        return [*self.coefs, *self.intercepts, *self.normalization.scales]

    def gather(self, X, rows):
        """Copy rows of `X` into the input buffer, converted to the dtype of the network, standardised.

        Parameters
        ----------
        X : ndarray or CSR matrix of shape (n_samples, n_features)
            Of any numeric dtype.
        rows : ndarray of int or slice
            Which.

        Returns
        -------
        ndarray of shape (len(rows), n_features)
            A view of the buffer.
        """
        batch = self._gathered(X, rows)
        self.standardization.apply(batch)
        return batch

    def _gathered(self, X, rows):
        if not isinstance(rows, slice) and _is_ready(X, self.dtype):
            # Needs no array between; but it would copy the whole of an X of another layout.
            return X.take(rows, axis=0, out=self.buffers[0][: len(rows)], mode="clip")
        some = X[rows]
        batch = self.buffers[0][: some.shape[0]]
        if issparse(some):
            return some.astype(self.dtype).toarray(out=batch)
        batch[...] = some
        return batch

    def forward(self, batch):
        """Embeddings or logits of a batch.

        Parameters
        ----------
        batch : ndarray of shape (n, n_features)
            At most as many rows as the buffers have. What `gather` gave loses the dropped inputs.

        Returns
        -------
        ndarray of shape (n, n_outputs)
            A view of the last buffer; the next call overwrites it.
        """
        self.batch = self._views(len(batch))
        H = self.batch.H
        if batch.base is not self.buffers[0]:
            H[0][...] = batch
        if self.input_dropout:
            self.input_mask = self._kept(H[0], self.input_dropout)
            H[0] *= self.input_mask
        return self._through(H, self.dropout)

    def infer(self, rows):
        """As `forward`, where nothing is learned: no unit is dropped, the rows are read where they lie.

        Parameters
        ----------
        rows : ndarray of shape (n, n_features), C-contiguous and of the dtype of the network
            At most as many as the buffers have.

        Returns
        -------
        ndarray of shape (n, n_outputs)
            A view of the last buffer; the next call overwrites it.
        """
        return self._through([rows, *self._views(len(rows)).H[1:]], 0.0)

    def _views(self, n):
        if n not in self.batches:
            self.batches[n] = Batch(self, n)
        return self.batches[n]

    def _through(self, H, dropout):
        for layer, (W, b) in enumerate(zip(self.coefs, self.intercepts)):
            A = H[layer + 1]
            np.copyto(A, b)
            self.gemm(1.0, W.T, H[layer].T, beta=1.0, c=A.T, overwrite_c=1)
            if layer < len(self.coefs) - 1:
                self.normalization.normalize(layer, A, b)
                self.value(A)
                if dropout:
                    self.masks[layer] = self._kept(A, dropout)
                    A *= self.masks[layer]
        return H[-1]

    def _kept(self, H, dropout):
        kept = self.rng.random(H.shape, dtype=np.float32) >= dropout
        return kept * H.dtype.type(1 / (1 - dropout))

    def backward(self, dZ):
        """Carry a gradient on the last output back to all layers, for `gradients`.

        Parameters
        ----------
        dZ : ndarray of shape (n, n_outputs)
            Gradient on the result of the last call of `forward`.
        """
        deltas = self.batch.deltas
        deltas[-1][...] = dZ
        for layer in range(len(self.coefs) - 1, 0, -1):
            out = deltas[layer - 1]
            self.gemm(1.0, self.coefs[layer].T, deltas[layer].T, c=out.T, trans_a=1, overwrite_c=1)
            self._chain_hidden(layer - 1, out)

    def _chain_hidden(self, layer, delta):
        H = self.batch.H[layer + 1]
        if self.dropout:
            delta *= self.masks[layer]
            # The derivative is a function of the output as it was before units were dropped.
            H = H * (1 - self.dropout)
        self.chain(H, delta)
        self.normalization.backward(layer, delta)

    def input_gradient(self):
        """Gradient on the rows of the batch, after `backward`.

        Returns
        -------
        ndarray of shape (n, n_features)
            A new array.
        """
        dX = self.gemm(1.0, self.coefs[0].T, self.batch.deltas[0].T, trans_a=1).T
        return dX * self.input_mask if self.input_dropout else dX

    def gradients(self):
        """Gradients of all `parameters`, as objects with ``add_to(out, alpha, beta)``."""
        return self.batch.gradients


def outputs(network, X, rows=None):
    """Run rows of `X` through a network, as many at a time as its buffers hold.

    Parameters
    ----------
    network : Network or SideBySide
        Network to run.
    X : ndarray or CSR matrix of shape (n_samples, n_features)
        Never copied whole.
    rows : ndarray of int of shape (n,), default=None
        Which rows; None for all.

    Returns
    -------
    ndarray of shape (n, n_outputs)
        Outputs.
    """
    n = X.shape[0] if rows is None else len(rows)
    Z = np.empty((n, network.n_outputs), dtype=network.dtype)
    for part, (some,) in outputs_in_parts([network], X, rows):
        Z[part] = some
    return Z


def outputs_in_parts(networks, X, rows=None):
    """Run rows of `X` through several networks, as many at a time as the buffers of the first hold.

    Parameters
    ----------
    networks : list of Network
        Networks of the same input and dtype.
    X, rows
        As in `outputs`.

    Yields
    ------
    part : slice
        Which of the rows.
    some : list of ndarray of shape (n, n_outputs)
        Outputs of each network, views that the next part overwrites.
    """
    first = networks[0]
    n = X.shape[0] if rows is None else len(rows)
    as_they_lie = rows is None and not first.standardization.changes_rows and _is_ready(X, first.dtype)
    for start in range(0, n, first.batch_size):
        part = slice(start, start + first.batch_size)
        if as_they_lie:
            some = X[part]
        else:
            some = first.gather(X, part if rows is None else rows[part])
        yield part, [network.infer(some) for network in networks]
