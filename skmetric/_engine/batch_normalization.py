"""Batch normalisation: hidden units that are centred and scaled over the batch, before their activation.

It is there while a network is trained. For inference, the statistics of a batch give way to those of many
rows, and the map, which is affine then, is folded into the weights.
"""

import numpy as np

EPSILON = 1e-4  # added to variances


class ArrayGradient:
    """A gradient that is there as an array.

    Parameters
    ----------
    array : ndarray
        The gradient.
    """

    def __init__(self, array):
        self.array = array

    def add_to(self, out, alpha, beta):
        """``out <- beta * out + alpha * g``; with `beta` 0, `out` may hold anything."""
        if beta == 0:
            np.multiply(self.array, alpha, out=out)
        else:
            out *= beta
            out += alpha * self.array


class BatchNormalization:
    """``A <- s (A - mean) / sqrt(variance + epsilon) + b`` over the batch, for each hidden layer.

    With ``a`` the normalised units and delta the gradient on the result, the gradients are ``db = sum
    delta``, ``ds = sum delta a`` and ``dA = s (delta - db / n - a ds / n) / sqrt(variance + epsilon)``,
    since mean and variance are functions of `A` too.

    Parameters
    ----------
    scales : list of ndarray of shape (width,)
        s of each hidden layer; used, not copied.
    batch_size : int
        Rows that the buffers hold.
    X : ndarray or CSR matrix of shape (n_samples, n_features)
        Where the rows lie that the statistics for inference are computed from.
    rows : ndarray of int of shape (n,)
        Numbers of these rows.

    References
    ----------
    S. Ioffe, C. Szegedy, "Batch normalization: accelerating deep network training by reducing internal
    covariate shift", ICML 2015.
    """

    def __init__(self, scales, batch_size, X, rows):
        self.scales = scales
        self.X = X
        self.rows = rows
        self.buffers = [np.zeros((batch_size, len(scale)), scale.dtype) for scale in scales]
        self.factors = [np.zeros_like(scale) for scale in scales]
        self.scale_gradients = [ArrayGradient(np.zeros_like(scale)) for scale in scales]
        self.bias_gradients = [ArrayGradient(np.zeros_like(scale)) for scale in scales]

    def normalize(self, layer, A):
        """Normalise the products of a batch with the weights, in place."""
        A -= A.mean(axis=0)
        variance = np.einsum("ij,ij->j", A, A) / len(A)
        factor = 1 / np.sqrt(variance + EPSILON)
        A *= factor
        self.factors[layer][...] = factor
        self.buffers[layer][: len(A)] = A
        A *= self.scales[layer]

    def backward(self, layer, delta):
        """Turn the gradient on what `normalize` gave into that on what it was given, in place."""
        normalized = self.buffers[layer][: len(delta)]
        db = self.bias_gradients[layer].array
        ds = self.scale_gradients[layer].array
        db[...] = delta.sum(axis=0)
        ds[...] = np.einsum("ij,ij->j", delta, normalized)
        delta -= db / len(delta)
        delta -= normalized * (ds / len(delta))
        delta *= self.scales[layer] * self.factors[layer]

    def gradients(self, weights, biases):
        """Gradients of weights, biases and scales; those of the hidden biases are computed here."""
        return [*weights, *self.bias_gradients, biases[-1], *self.scale_gradients]

    def fold(self, layer, W, b, A):
        """Return a layer that does for all rows what `normalize` does for a batch.

        Parameters
        ----------
        layer : int
            Which.
        W, b : ndarray
            Its weights and bias.
        A : ndarray of shape (n, width)
            ``H W + b`` of many rows.

        Returns
        -------
        W, b : ndarray
            Of the new layer.
        """
        mean, variance = moments(A)
        factor = self.scales[layer] / np.sqrt(variance + EPSILON)
        return (W * factor).astype(W.dtype), (b + (b - mean) * factor).astype(b.dtype)


def moments(A):
    """Mean and variance of each column, in float64."""
    mean = A.mean(axis=0, dtype=np.float64)
    return mean, np.einsum("ij,ij->j", A, A, dtype=np.float64) / len(A) - mean**2


def unfolded(A):
    """Return the bias and the scale with which `normalize` gives back the `A` of many rows."""
    mean, variance = moments(A)
    return mean.astype(A.dtype), np.sqrt(variance + EPSILON).astype(A.dtype)


class NoBatchNormalization:
    """Hidden units as they are."""

    scales = ()

    def normalize(self, layer, A):
        """Do nothing."""

    def backward(self, layer, delta):
        """Do nothing."""

    def gradients(self, weights, biases):
        """Gradients of weights and biases."""
        return [*weights, *biases]


AS_THEY_ARE = NoBatchNormalization()
