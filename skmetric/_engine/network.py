"""The network: dense layers with element-wise activations, and a linear output layer."""

import numpy as np
from scipy.sparse import issparse

from .._lazy import lazy
from .._steps import forks_wait
from .activations import ACTIVATIONS
from .batch_normalization import AS_THEY_ARE, unfolded
from .divergence import raise_if_diverged
from .layers import BiasGradient, HiddenLayer, LinearLayer, WeightGradient
from .sparse_rows import SparseRows, SparseWeightGradient, is_thin
from .standardization import AS_THEY_COME
from .tiles import tiles_of_weights

CHUNK = 1024  # rows that are passed through a network at a time for inference
LEVELS = 2**16  # number of values of the random numbers for dropout


def _is_ready(X, dtype):
    """Return whether BLAS can read the rows of `X` without a copy."""
    return isinstance(X, np.ndarray) and X.flags.c_contiguous and X.flags.aligned and X.dtype == dtype


class Batch:
    """Views of the first `n` rows of the buffers of a network, created once for each batch size.

    Parameters
    ----------
    network : Network
        Network that the buffers belong to.
    n : int
        Number of rows.
    """

    def __init__(self, network, n):
        self.H = [buffer[:n] for buffer in network.buffers]
        self.deltas = [buffer[:n] for buffer in network.delta_buffers]
        last = len(network.coefs) - 1
        self.hidden = [HiddenLayer(network, number, n) for number in range(last)]
        self.layers = [*self.hidden, LinearLayer(network, last, n)]
        self.cuts = network.cuts
        self.normalization = network.normalization
        self.sparse = None  # rows that the first layer multiplies instead of its buffer

    @lazy
    def gradients(self):
        """Gradients of the blocks of the network."""
        weights = [
            WeightGradient(H[:, rows], delta)
            for H, delta, cuts in zip(self.H, self.deltas, self.cuts)
            for rows in cuts
        ]
        if self.sparse is not None:
            cuts = self.cuts[0]
            delta = self.deltas[0]
            weights[: len(cuts)] = [SparseWeightGradient(self, rows, delta) for rows in cuts]
        ones = np.ones(len(self.H[0]), self.H[0].dtype)
        biases = [BiasGradient(delta, ones) for delta in self.deltas]
        return self.normalization.gradients(weights, biases)


class Network:
    """Dense layers, and the buffers for one batch.

    ``H_0 = X``, ``H_l = f(H_{l-1} W_l + b_l)`` for hidden layers, ``Z = H_{L-1} W_L + b_L``.

    Parameters
    ----------
    coefs : list of ndarray of shape (fan_in, fan_out), C-contiguous float32 or float64
        Weights; used without a copy.
    intercepts : list of ndarray of shape (fan_out,)
        Biases; used without a copy.
    activation : str
        Key of `ACTIVATIONS`.
    batch_size : int
        Number of rows of the buffers.
    dropout : float, default=0.0
        Fraction of hidden units that `forward` drops; the others are scaled by 1 / (1 - dropout).
    input_dropout : float, default=0.0
        Fraction of inputs that `forward` drops.
    rng : numpy.random.Generator, default=None
        Random number generator for dropout.
    standardization : Standardization, default=AS_THEY_COME
        Standardisation of rows by `gather`.
    normalization : BatchNormalization, default=AS_THEY_ARE
        Normalisation of hidden units before their activation.
    takes_sparse : bool, default=True
        Whether `gather` may return sparse rows. With `input_dropout`, it does not.

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
        takes_sparse=True,
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
        self.takes_sparse = takes_sparse and not input_dropout
        self.value, self.chain = ACTIVATIONS[activation]
        self.dtype = coefs[0].dtype
        widths = [coefs[0].shape[0], *(W.shape[1] for W in coefs)]
        self.buffers = [np.zeros((batch_size, width), dtype=self.dtype) for width in widths]
        self.delta_buffers = [np.zeros_like(buffer) for buffer in self.buffers[1:]]
        # Inputs and hidden units are multiplied by these masks for dropout.
        self.dropouts = [input_dropout, *[dropout] * (len(coefs) - 1)]
        self.masks = [
            np.empty((batch_size * bool(fraction), width), dtype=self.dtype)
            for fraction, width in zip(self.dropouts, widths)
        ]
        self.cuts = [tiles_of_weights(W, batch_size) for W in coefs]
        self.batches = {}

    def for_inference(self, batch_size):
        """Return a network without dropout, with its own buffers and with batch normalisation folded.

        Without batch normalisation, it shares its parameters with this network.
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
        """Compute a layer before its activation, for the rows of the statistics."""
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
        """Set biases and scales such that batch normalisation does not change the outputs."""
        coefs, intercepts = list(self.coefs), [b.copy() for b in self.intercepts]
        for layer, scale in enumerate(self.normalization.scales):
            A = self._pre_activations(coefs, intercepts, layer)
            self.intercepts[layer][...], scale[...] = unfolded(A)

    def folded_parameters(self):
        """Return copies of the weights and biases for rows that are not standardised.

        Raises
        ------
        FloatingPointError
            If one of them is too large for the dtype.
        """
        folded = self.for_inference(1)
        first, bias = self.standardization.fold(folded.coefs[0], folded.intercepts[0])
        coefs = [first, *(W.copy() for W in folded.coefs[1:])]
        intercepts = [bias, *(b.copy() for b in folded.intercepts[1:])]
        raise_if_diverged(*coefs, *intercepts)
        return coefs, intercepts

    @property
    def n_outputs(self):
        """Number of outputs."""
        return self.coefs[-1].shape[1]

    @property
    def parameters(self):
        """Weights, biases and scales."""
        return [*self.coefs, *self.intercepts, *self.normalization.scales]

    @property
    def blocks(self):
        """The `parameters` in the order of `gradients`, with the weights cut into blocks of rows."""
        blocks = [W[rows] for W, cuts in zip(self.coefs, self.cuts) for rows in cuts]
        return [*blocks, *self.intercepts, *self.normalization.scales]

    def gather(self, X, rows):
        """Copy rows of `X` into the input buffer, convert them to the dtype of the network, standardise.

        Parameters
        ----------
        X : ndarray or CSR matrix of shape (n_samples, n_features)
            Rows of any numeric dtype.
        rows : ndarray of int or slice
            Row numbers.

        Returns
        -------
        ndarray of shape (len(rows), n_features) or SparseRows
            A view of the buffer, or sparse rows if the first layer multiplies them faster.
        """
        if self.takes_sparse and is_thin(X):
            return self.standardization.sparse(X[rows].astype(self.dtype))
        batch = self._gathered(X, rows)
        self.standardization.apply(batch)
        return batch

    def _gathered(self, X, rows):
        if not isinstance(rows, slice) and _is_ready(X, self.dtype):
            # This needs no temporary array, but would copy all of an X with another memory layout.
            return X.take(rows, axis=0, out=self.buffers[0][: len(rows)], mode="clip")
        some = X[rows]
        batch = self.buffers[0][: some.shape[0]]
        if issparse(some):
            return some.astype(self.dtype, copy=False).toarray(out=batch)
        batch[...] = some
        return batch

    def forward(self, batch):
        """Compute the outputs of a batch.

        Parameters
        ----------
        batch : ndarray of shape (n, n_features) or SparseRows
            Rows, at most as many as the buffers have. If it is the result of `gather`, dropout of inputs
            changes it in place.

        Returns
        -------
        ndarray of shape (n, n_outputs)
            A view of the last buffer; the next call overwrites it.
        """
        self.begin(batch)
        return self.propagate()

    def begin(self, batch):
        """Copy a batch to the input buffer and draw the masks for dropout.

        Parameters
        ----------
        batch : ndarray of shape (n, n_features)
            As in `forward`.
        """
        self.batch = self._views(len(batch))
        self._draw_masks(len(batch))
        if isinstance(batch, SparseRows):
            self.batch.sparse = batch
            self.batch.layers[0].take(batch)
            return
        H = self.batch.H[0]
        if batch.base is not self.buffers[0]:
            H[...] = batch
        if self.input_dropout:
            H *= self.masks[0][: len(batch)]

    def _draw_masks(self, n):
        for fraction, mask in zip(self.dropouts, self.masks):
            if fraction:
                self._draw(mask[:n], fraction)

    def _draw(self, mask, fraction):
        """Fill a mask with 0 for dropped entries and ``1 / (1 - fraction)`` for the others."""
        # 64 random bits give four numbers of 16 bits, six times faster than a float for each entry.
        n_draws = -(-mask.size // 4)
        bits = self.rng.integers(0, 2**64 - 1, n_draws, dtype=np.uint64, endpoint=True)
        numbers = bits.view(np.uint16)[: mask.size].reshape(mask.shape)
        np.multiply(numbers >= round(fraction * LEVELS), mask.dtype.type(1 / (1 - fraction)), out=mask)

    def propagate(self):
        """Compute the outputs of the batch of `begin`, see `forward`."""
        batch = self.batch
        for layer in batch.layers:
            layer.forward()
        return batch.H[-1]

    def infer(self, rows):
        """Compute outputs for inference, without dropout and without a copy of the rows.

        Parameters
        ----------
        rows : ndarray of shape (n, n_features) or SparseRows
            Rows, at most as many as the buffers have; in C order and of the dtype of the network.

        Returns
        -------
        ndarray of shape (n, n_outputs)
            A view of the last buffer; the next call overwrites it.
        """
        batch = self._views(len(rows))
        for layer, H in zip(batch.layers, [rows, *batch.H[1:]]):
            layer.infer(H)
        return batch.H[-1]

    def _views(self, n):
        if n not in self.batches:
            self.batches[n] = Batch(self, n)
        return self.batches[n]

    def backward(self, dZ):
        """Propagate a gradient with respect to the outputs back to all layers, for `gradients`.

        Parameters
        ----------
        dZ : ndarray of shape (n, n_outputs)
            Gradient with respect to the result of the last call of `forward`.
        """
        self.batch.deltas[-1][...] = dZ
        for layer in reversed(self.batch.hidden):
            layer.backward()

    def input_gradient(self):
        """Compute the gradient with respect to the rows of the batch, after `backward`.

        Returns
        -------
        ndarray of shape (n, n_features)
            A new array.
        """
        dX = np.matmul(self.batch.deltas[0], self.coefs[0].T)
        if self.input_dropout:
            dX *= self.masks[0][: len(dX)]
        return dX

    def gradients(self):
        """Return the gradients of all `blocks`, as objects with ``add_to(out, alpha, beta)``."""
        return self.batch.gradients


def outputs(network, X, rows=None):
    """Compute the outputs of rows of `X`, as many at a time as the buffers hold.

    Parameters
    ----------
    network : Network or SideBySide
        Network to run.
    X : ndarray or CSR matrix of shape (n_samples, n_features)
        Rows; never copied as a whole.
    rows : ndarray of int of shape (n,), default=None
        Row numbers. If None, all rows.

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
    """Compute the outputs of several networks, for as many rows at a time as the buffers hold.

    Parameters
    ----------
    networks : list of Network
        Networks with the same input and dtype. The first one gathers the rows.
    X, rows
        As in `outputs`.

    Yields
    ------
    part : slice
        Positions of the rows.
    some : list of ndarray of shape (n, n_outputs)
        Outputs of each network; views that the next part overwrites.
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
        with forks_wait:
            inferred = [network.infer(some) for network in networks]
        yield part, inferred
