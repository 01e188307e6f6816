"""Optimizers: move the parameters in place along their gradients.

An optimizer sees a gradient ``g`` as a verb only: ``gradient.add_to(out, alpha, beta)`` does
``out <- beta * out + alpha * g``. Weight decay (the gradient of ``0.5 * decay * |W|^2``) is part of
each step. What an optimizer remembers from step to step is in its dict `state`, and nowhere else.
"""

import math

import numpy as np
from scipy.linalg import get_blas_funcs


class SGD:
    """Stochastic gradient descent: ``W <- W - rate * (g + decay * W)``.

    Parameters
    ----------
    decays : list of float
        L2 penalty of each parameter.
    """

    def __init__(self, decays):
        self.decays = decays
        self.state = {}

    def step(self, parameters, gradients, rate):
        """Take one step, in place."""
        for W, gradient, decay in zip(parameters, gradients, self.decays):
            gradient.add_to(W, -rate, 1 - rate * decay)

    def is_finite(self):
        """Whether what is remembered from step to step is finite; else steps stand still unnoticed."""
        return True

    def penalty(self, parameters):
        """What the decays are the gradient of: ``sum 0.5 * decay * |W|^2``."""
        squares = (
            decay * np.einsum("i,i->", W.ravel(), W.ravel())
            for W, decay in zip(parameters, self.decays)
            if decay
        )
        return 0.5 * float(sum(squares))


class Momentum(SGD):
    """Descent with (Nesterov) momentum.

    ``v <- momentum * v - rate * (g + decay * W)``, then ``W <- W + v``, or with Nesterov's momentum
    ``W <- W + momentum * v - rate * (g + decay * W)``.

    Parameters
    ----------
    decays : list of float
        L2 penalty of each parameter.
    parameters : list of ndarray
        What `step` will be called with; velocities are made like them.
    momentum : float, default=0.9
        In (0, 1].
    nesterov : bool, default=True
        As above.

    References
    ----------
    I. Sutskever, J. Martens, G. Dahl, G. Hinton, "On the importance of initialization and momentum
    in deep learning", ICML 2013, equations 1 to 4.
    """

    def __init__(self, decays, parameters, momentum=0.9, nesterov=True):
        super().__init__(decays)
        self.momentum = momentum
        self.nesterov = nesterov
        self.state = {"velocities": [np.zeros_like(W) for W in parameters]}

    def step(self, parameters, gradients, rate):
        """Take one step, in place."""
        velocities = self.state["velocities"]
        for W, gradient, decay, v in zip(parameters, gradients, self.decays, velocities):
            if self.nesterov:
                # momentum * v_new - rate * g = (1 + momentum) * v_new - momentum * v_old, so that
                # the gradient is needed once. Half of it is done before v changes.
                before = self.momentum * v
            gradient.add_to(v, -rate, self.momentum)
            if decay:
                v -= rate * decay * W
            if self.nesterov:
                W += self.momentum * v
                W -= before
            W += v


class Adam(SGD):
    """Adam: steps scaled by running moments of the gradient, with its bias corrections.

    ``M <- beta_1 M + g``, ``V <- beta_2 V + g^2``, ``W <- W - rate_t * M / (sqrt(V) + epsilon_t)``,
    with ``g`` including the decay. The factors (1 - beta) of the paper's averages and its corrections
    are numbers common to all entries; they are in ``rate_t`` and ``epsilon_t``.

    Parameters
    ----------
    decays : list of float
        L2 penalty of each parameter.
    parameters : list of ndarray
        What `step` will be called with; moments are made like them.

    References
    ----------
    D. P. Kingma, J. L. Ba, "Adam: a method for stochastic optimization", ICLR 2015, algorithm 1 with
    its default constants.
    """

    beta_1 = 0.9
    beta_2 = 0.999
    epsilon = 1e-8
    block = 32768  # entries that are worked on at a time, so that they stay in the cache

    def __init__(self, decays, parameters):
        super().__init__(decays)
        # Moments and gradients of all parameters lie in one vector each: the element-wise work of the
        # small ones costs no calls of its own.
        size = sum(W.size for W in parameters)
        dtype = parameters[0].dtype
        self.state = {"t": 0, "first": np.zeros(size, dtype), "second": np.zeros(size, dtype)}
        self.gradient = np.zeros(size, dtype)
        ends = np.cumsum([W.size for W in parameters])
        self.parts = np.split(self.gradient, ends[:-1])
        self.axpy, self.scal = get_blas_funcs(("axpy", "scal"), dtype=dtype)

    def step(self, parameters, gradients, rate):
        """Take one step, in place."""
        self.state["t"] += 1
        t = self.state["t"]
        first = self.state["first"]
        second = self.state["second"]
        # sqrt(v_hat) = root * sqrt(V) and m_hat = M * (1 - beta_1) / (1 - beta_1^t)
        root = math.sqrt((1 - self.beta_2) / (1 - self.beta_2**t))
        rate_t = rate * (1 - self.beta_1) / (1 - self.beta_1**t) / root
        for W, gradient, decay, g in zip(parameters, gradients, self.decays, self.parts):
            gradient.add_to(g.reshape(W.shape), 1.0, 0.0)
            if decay:
                self.axpy(W.reshape(-1), g, a=decay)
        for start in range(0, len(first), self.block):
            part = slice(start, start + self.block)
            self._scale(first[part], second[part], self.gradient[part], self.epsilon / root)
        for W, g in zip(parameters, self.parts):
            self.axpy(g, W.reshape(-1), a=-rate_t)

    def is_finite(self):
        """Whether all moments are finite: a step with an infinite one is 0."""
        return math.isfinite(self.state["second"].max(initial=0))

    def _scale(self, M, V, g, epsilon_t):
        """Update the moments, and turn the gradient into the direction of the step."""
        # axpy and scal work in place, and make one pass of what takes NumPy two.
        self.scal(self.beta_1, M)
        self.axpy(g, M)
        np.multiply(g, g, out=g)
        self.scal(self.beta_2, V)
        self.axpy(g, V)
        np.sqrt(V, out=g)
        g += epsilon_t
        np.divide(M, g, out=g)


def sgd(parameters, decays, momentum, nesterov):
    """Plain descent, or with momentum, which needs velocities."""
    return Momentum(decays, parameters, momentum, nesterov) if momentum else SGD(decays)


def adam(parameters, decays, momentum, nesterov):
    """Adam, which has moments of its own instead."""
    return Adam(decays, parameters)


OPTIMIZERS = {"sgd": sgd, "adam": adam}
