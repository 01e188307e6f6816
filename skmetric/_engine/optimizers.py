"""Optimizers: update the parameters in place with their gradients.

An optimizer uses a gradient ``g`` through one method: ``gradient.add_to(out, alpha, beta)`` computes
``out <- beta * out + alpha * g``. Weight decay (the gradient of ``0.5 * decay * |W|^2``) is part of
each step. The dict `state` holds everything that an optimizer keeps from step to step: running moments of
the gradient, and numbers.
"""

import math
from functools import partial
from itertools import pairwise

import numpy as np

from .._team import share

CACHED = 2**17  # entries to process at a time: few enough for the cache, enough for threads
WORTH = 2**15  # minimum number of entries for a thread


class SGD:
    """Stochastic gradient descent: ``W <- W - rate * (g + decay * W)``.

    Parameters
    ----------
    decays : list of float
        L2 penalty of each parameter.
    parameters : list of ndarray
        Parameters that `step` will update.
    """

    def __init__(self, decays, parameters):
        self.decays = decays
        self.state = {}
        ends = np.cumsum([W.size for W in parameters])
        # The place of each parameter in a vector of all entries, and the parameters of each thread.
        self.places = [slice(end - W.size, end) for end, W in zip(ends, parameters)]
        self.groups = _groups(parameters)

    def step(self, parameters, gradients, rate):
        """Take one step, in place."""
        steps = list(zip(parameters, gradients, self.decays, self.places))
        share([partial(self._move, steps[group], rate) for group in self.groups])

    def _move(self, steps, rate):
        """Update some parameters; each step has a parameter, its gradient, its decay and its place."""
        for W, gradient, decay, _ in steps:
            gradient.add_to(W, -rate, 1 - rate * decay)

    def flush(self):
        """Set the moments to 0 that are below the smallest normal number.

        The moments of a gradient that has become 0 shrink until they are there, and stay. A processor
        takes about a hundred times as long for such numbers.
        """
        vectors = (value for value in self.state.values() if isinstance(value, np.ndarray))
        for moments in vectors:
            for start in range(0, len(moments), CACHED):
                some = moments[start : start + CACHED]
                some[np.abs(some) < np.finfo(some.dtype).smallest_normal] = 0

    def is_finite(self):
        """Return whether the state is finite; with an infinite state, all steps may be 0."""
        return True

    def penalty(self, parameters):
        """Compute the L2 penalty ``sum 0.5 * decay * |W|^2``."""
        squares = (
            decay * np.einsum("i,i->", W.ravel(), W.ravel())
            for W, decay in zip(parameters, self.decays)
            if decay
        )
        return 0.5 * float(sum(squares))


class Momentum(SGD):
    """Stochastic gradient descent with momentum, or with Nesterov's momentum.

    ``v <- momentum * v - rate * (g + decay * W)``, then ``W <- W + v``, or with Nesterov's momentum
    ``W <- W + momentum * v - rate * (g + decay * W)``.

    Parameters
    ----------
    decays : list of float
        L2 penalty of each parameter.
    parameters : list of ndarray
        Parameters that `step` will update; their shapes determine those of the velocities.
    momentum : float
        Momentum, in (0, 1].
    nesterov : bool
        Whether to use Nesterov's momentum.

    References
    ----------
    I. Sutskever, J. Martens, G. Dahl, G. Hinton, "On the importance of initialization and momentum
    in deep learning", ICML 2013, equations 1 to 4.
    """

    def __init__(self, decays, parameters, momentum, nesterov):
        super().__init__(decays, parameters)
        self.momentum = momentum
        self.nesterov = nesterov
        size = sum(W.size for W in parameters)
        self.state = {"velocities": np.zeros(size, parameters[0].dtype)}

    def _move(self, steps, rate):
        for W, gradient, decay, place in steps:
            v = self.state["velocities"][place].reshape(W.shape)
            if self.nesterov:
                # momentum * v_new - rate * g = (1 + momentum) * v_new - momentum * v_old, which needs
                # the gradient only once. The last term is computed before v changes.
                before = self.momentum * v
            gradient.add_to(v, -rate, self.momentum)
            if decay:
                v -= rate * decay * W
            if self.nesterov:
                W += self.momentum * v
                W -= before
            W += v


class Adam(SGD):
    """Adam: steps scaled by running moments of the gradient, with bias corrections.

    ``M <- beta_1 M + g``, ``V <- beta_2 V + g^2``, ``W <- W - rate_t * M / (sqrt(V) + epsilon_t)``,
    where ``g`` includes the decay. The factors (1 - beta) and the bias corrections of the paper are the
    same for all entries; they are included in ``rate_t`` and ``epsilon_t``.

    Parameters
    ----------
    decays : list of float
        L2 penalty of each parameter.
    parameters : list of ndarray
        Parameters that `step` will update; their shapes determine those of the moments.

    References
    ----------
    D. P. Kingma, J. L. Ba, "Adam: a method for stochastic optimization", ICLR 2015, algorithm 1 with
    its default constants.
    """

    beta_1 = 0.9
    beta_2 = 0.999
    epsilon = 1e-8

    def __init__(self, decays, parameters):
        super().__init__(decays, parameters)
        # The moments of all parameters are in one vector each, so that small parameters need no calls of
        # their own.
        size = sum(W.size for W in parameters)
        dtype = parameters[0].dtype
        self.state = {"t": 0, "first": np.zeros(size, dtype), "second": np.zeros(size, dtype)}

    def step(self, parameters, gradients, rate):
        """Take one step, in place."""
        self.state["t"] += 1
        super().step(parameters, gradients, rate)

    def _move(self, steps, rate):
        begin = steps[0][-1].start
        directions = np.empty(steps[-1][-1].stop - begin, steps[0][0].dtype)
        parts = [directions[place.start - begin : place.stop - begin] for *_, place in steps]
        for (W, gradient, decay, _), g in zip(steps, parts):
            gradient.add_to(g.reshape(W.shape), 1.0, 0.0)
            if decay:
                g += decay * W.ravel()
        for start in range(0, len(directions), CACHED):
            g = directions[start : start + CACHED]
            self._scale(slice(begin + start, begin + start + len(g)), g, rate)
        for (W, *_), g in zip(steps, parts):
            W -= g.reshape(W.shape)

    def is_finite(self):
        """Return whether all moments are finite; a step with an infinite moment is 0."""
        return math.isfinite(self.state["second"].max(initial=0))

    def _scale(self, place, g, rate):
        """Update some moments, and turn the gradient into the step, in place."""
        M = self.state["first"][place]
        V = self.state["second"][place]
        t = self.state["t"]
        # sqrt(v_hat) = root * sqrt(V) and m_hat = M * (1 - beta_1) / (1 - beta_1^t)
        root = math.sqrt((1 - self.beta_2) / (1 - self.beta_2**t))
        M *= self.beta_1
        M += g
        np.multiply(g, g, out=g)
        V *= self.beta_2
        V += g
        np.sqrt(V, out=g)
        g += self.epsilon / root
        np.divide(M, g, out=g)
        g *= rate * (1 - self.beta_1) / (1 - self.beta_1**t) / root


def _groups(parameters):
    """Cut a list of parameters into groups that are large enough for a thread each."""
    bounds, size = [0], 0
    left = sum(W.size for W in parameters)
    for number, W in enumerate(parameters, start=1):
        size += W.size
        left -= W.size
        if size >= WORTH and left >= WORTH:
            bounds.append(number)
            size = 0
    return [slice(*pair) for pair in pairwise([*bounds, len(parameters)])]


def sgd(parameters, decays, momentum, nesterov):
    """Return gradient descent, with momentum if it is not 0."""
    return Momentum(decays, parameters, momentum, nesterov) if momentum else SGD(decays, parameters)


def adam(parameters, decays, momentum, nesterov):
    """Return Adam, which does not use `momentum` and `nesterov`."""
    return Adam(decays, parameters)


OPTIMIZERS = {"sgd": sgd, "adam": adam}
