"""``out <- beta * out + alpha * left @ right`` in one pass, with SciPy's BLAS.

`numpy.matmul` cannot add to its output, and SciPy's wrappers of BLAS hold the interpreter lock during a
product, which blocks other threads. Here the routine is called through ctypes, which releases the lock.
"""

import ctypes

import numpy as np
from scipy.linalg import cython_blas


def _routine(name):
    """Return a BLAS routine as a function of 13 addresses; SciPy exports it in a capsule for Cython."""
    capsule = cython_blas.__pyx_capi__[name]
    name_of = ctypes.PYFUNCTYPE(ctypes.c_char_p, ctypes.py_object)
    pointer_of = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p)
    signature = name_of(("PyCapsule_GetName", ctypes.pythonapi))(capsule)
    pointer = pointer_of(("PyCapsule_GetPointer", ctypes.pythonapi))(capsule, signature)
    return ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 13)(pointer)


ROUTINES = {
    np.dtype(np.float32): (_routine("sgemm"), ctypes.c_float),
    np.dtype(np.float64): (_routine("dgemm"), ctypes.c_double),
}
AS_IT_IS, TRANSPOSED = ctypes.c_char_p(b"N"), ctypes.c_char_p(b"T")


class Gemm:
    """Add a multiple of the product of two matrices to a third one: ``gemm(out, alpha, beta)``.

    BLAS expects Fortran order, so it computes the transposes: ``out.T = right.T @ left.T``.

    Parameters
    ----------
    left : ndarray of shape (m, k)
        Rows or columns of a matrix in C order, or the transpose of such a matrix; float32 or float64.
    right : ndarray of shape (k, n)
        As `left`, with the same dtype.
    """

    def __init__(self, left, right):
        self.left = left
        self.right = right
        self.routine, number = ROUTINES[left.dtype]
        self.alpha = number()
        self.beta = number()
        self.out = None

    def __call__(self, out, alpha, beta):
        """``out <- beta * out + alpha * left @ right``, where `out` is rows of a matrix in C order."""
        if out is not self.out:
            self._bind(out)
        self.alpha.value = alpha
        self.beta.value = beta
        self.routine(*self.arguments)

    def _bind(self, out):
        """Prepare the arguments once for each `out`, since this takes longer than a small product."""
        m, k = self.left.shape
        n = self.right.shape[1]
        steps = [_step(A) for A in (self.right, self.left, out)]
        self.numbers = [ctypes.c_int(number) for number in (n, m, k, *steps)]
        n, m, k, right_step, left_step, out_step = [ctypes.addressof(number) for number in self.numbers]
        self.arguments = (
            *(_order(self.right), _order(self.left), n, m, k, ctypes.addressof(self.alpha)),
            *(self.right.ctypes.data, right_step, self.left.ctypes.data, left_step),
            *(ctypes.addressof(self.beta), out.ctypes.data, out_step),
        )
        self.out = out


def _order(A):
    return AS_IT_IS if A.strides[1] == A.itemsize else TRANSPOSED


def _step(A):
    """Return the number of entries from one row of the matrix in C order to the next."""
    along = 0 if A.strides[1] == A.itemsize else 1
    return max(A.strides[along] // A.itemsize, A.shape[1 - along])
