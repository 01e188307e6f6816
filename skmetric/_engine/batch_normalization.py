"""Batch normalisation: hidden units are centred and scaled over the batch, before their activation.

It is used in training. For inference, the statistics of the batch are replaced by those of many rows, and
the resulting affine map is folded into the weights.
"""

import numpy as np

EPSILON = 1e-4  # added to variances


class ArrayGradient:
    """A gradient that is stored in an array.

    Parameters
    ----------
    array : ndarray
        The gradient.
    """

    def __init__(self, array):
        self.array = array

    def add_to(self, out, alpha, beta):
        """``out <- beta * out + alpha * g``; with ``beta=0``, `out` may be uninitialised."""
        if beta == 0:
            np.multiply(self.array, alpha, out=out)
        else:
            out *= beta
            out += alpha * self.array


class BatchNormalization:
    """``A <- s (A - mean) / sqrt(variance + epsilon) + b`` over the batch, for each hidden layer.

    With ``a`` the normalised units and ``delta`` the gradient with respect to the result, the gradients
    are ``db = sum delta``, ``ds = sum delta a`` and
    ``dA = s (delta - db / n - a ds / n) / sqrt(variance + epsilon)``, since mean and variance depend on
    `A`.

    Parameters
    ----------
    scales : list of ndarray of shape (width,)
        Scale s of each hidden layer; used without a copy.
    batch_size : int
        Number of rows of the buffers.
    X : ndarray or CSR matrix of shape (n_samples, n_features)
        Rows from which `rows` selects.
    rows : ndarray of int of shape (n,)
        Numbers of the rows that give the statistics for inference.

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
        """Propagate the gradient back through `normalize`, in place."""
        normalized = self.buffers[layer][: len(delta)]
        db = self.bias_gradients[layer].array
        ds = self.scale_gradients[layer].array
        db[...] = delta.sum(axis=0)
        ds[...] = np.einsum("ij,ij->j", delta, normalized)
        delta -= db / len(delta)
        delta -= normalized * (ds / len(delta))
        delta *= self.scales[layer] * self.factors[layer]

    def gradients(self, weights, biases):
        """Return the gradients of weights, biases and scales; `backward` has computed some of them."""
        return [*weights, *self.bias_gradients, biases[-1], *self.scale_gradients]

    def fold(self, layer, W, b, A):
        """Fold the normalisation of a layer, with the statistics of many rows, into its weights.

        Parameters
        ----------
        layer : int
            Number of the layer.
        W, b : ndarray
            Weights and bias of the layer.
        A : ndarray of shape (n, width)
            ``H W + b`` of many rows; overwritten.

        Returns
        -------
        W, b : ndarray
            Weights and bias that include the normalisation.
        """
        mean, variance = moments(A)
        factor = self.scales[layer] / np.sqrt(variance + EPSILON)
        return (W * factor).astype(W.dtype), (b + (b - mean) * factor).astype(b.dtype)


def moments(A):
    """Compute the mean and the variance of each column in float64; `A` is overwritten."""
    mean = A.mean(axis=0, dtype=np.float64)
    # Centred, because a difference of squares has no correct digit where the mean is large.
    A -= mean.astype(A.dtype)
    rest = A.mean(axis=0, dtype=np.float64)
    variance = np.einsum("ij,ij->j", A, A, dtype=np.float64) / len(A) - rest**2
    return mean, np.maximum(variance, 0)


def unfolded(A):
    """Compute the bias and the scale with which normalised units equal the given `A` of many rows.

    `A` is overwritten.
    """
    mean, variance = moments(A)
    return mean.astype(A.dtype), np.sqrt(variance + EPSILON).astype(A.dtype)


class NoBatchNormalization:
    """No batch normalisation."""

    scales = ()

    def normalize(self, layer, A):
        """Do nothing."""

    def backward(self, layer, delta):
        """Do nothing."""

    def gradients(self, weights, biases):
        """Return the gradients of weights and biases."""
        return [*weights, *biases]


AS_THEY_ARE = NoBatchNormalization()
