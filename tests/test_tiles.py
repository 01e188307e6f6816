"""Where the work of a step is cut, and that a cut network does what a whole one does."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skmetric._engine import tiles
from skmetric._engine.batch_normalization import BatchNormalization
from skmetric._engine.gemm import Gemm
from skmetric._engine.initialization import initial_parameters
from skmetric._engine.network import Network
from skmetric._engine.tiles import tiles_of_columns, tiles_of_rows, tiles_of_weights


def check_cover(slices, length):
    assert [i for part in slices for i in range(length)[part]] == list(range(length))
    sizes = [part.stop - part.start for part in slices]
    assert max(sizes) - min(sizes) <= 1
    assert len(slices) in (1, 2, 4, 8, 16)


@pytest.mark.parametrize("size", [1, 10, 64, 100, 256, 1000, 1024, 2048, 5000])
def test_tiles_cover_all_and_are_equal(size):
    check_cover(tiles_of_columns(128, 784, size), size)
    check_cover(tiles_of_weights(np.empty((size, 300)), 128), size)
    check_cover(tiles_of_rows(np.empty((size, 300))), size)


def test_small_steps_are_whole_and_large_ones_are_cut():
    assert len(tiles_of_columns(32, 784, 64)) == len(tiles_of_weights(np.empty((784, 64)), 32)) == 1
    assert len(tiles_of_columns(128, 784, 256)) == len(tiles_of_weights(np.empty((784, 256)), 128)) == 2
    assert len(tiles_of_columns(256, 784, 1024)) == 4
    assert len(tiles_of_columns(512, 2048, 2048)) == 8
    assert len(tiles_of_weights(np.empty((2048, 2048)), 512)) == 8
    assert len(tiles_of_rows(np.empty((512, 1024)))) == 4
    # A product that is small is not worth a thread, however wide it is.
    assert len(tiles_of_columns(128, 10, 1024)) == 1


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("dropout", [0.0, 0.4])
def test_a_network_in_tiles_is_the_network(dtype, batch_norm, dropout, monkeypatch):
    def results():
        rng = np.random.default_rng(0)
        coefs, intercepts = initial_parameters([520, 270, 140, 5], "tanh", rng, dtype)
        options = {"dropout": dropout, "input_dropout": dropout, "rng": rng}
        X = rng.normal(size=(70, 520)).astype(dtype)
        if batch_norm:
            scales = [np.full(270, 1.5, dtype), np.full(140, 0.5, dtype)]
            options["normalization"] = BatchNormalization(scales, 70, X, np.arange(70))
        network = Network(coefs, intercepts, "tanh", 70, **options)
        Z = network.forward(network.gather(X, np.arange(70))).copy()
        network.backward(rng.normal(size=Z.shape).astype(dtype))
        gradients = [np.zeros_like(block) for block in network.blocks]
        for gradient, g in zip(network.gradients(), gradients, strict=True):
            gradient.add_to(g, 1.0, 0.0)
        flat = np.concatenate([g.ravel() for g in gradients])
        return network, Z, flat, network.input_gradient(), network.infer(X).copy()

    monkeypatch.setattr(tiles, "MOST", 1)
    whole, *expected = results()
    monkeypatch.setattr(tiles, "MOST", 16)
    monkeypatch.setattr(tiles, "PAYS", 1)
    monkeypatch.setattr(tiles, "LONG", 8)
    cut, *found = results()
    assert len(whole.blocks) < len(cut.blocks)
    assert len(cut.batch.layers[0].products) == 2
    assert len(cut.batch.layers[0].activations) == 16
    for ours, theirs in zip(found, expected):
        assert np.abs(theirs).max() > 1e-3
        assert_allclose(ours, theirs, rtol=1e4 * np.finfo(dtype).eps, atol=100 * np.finfo(dtype).eps)


def test_blocks_are_the_parameters_themselves(monkeypatch):
    monkeypatch.setattr(tiles, "PAYS", 1)
    monkeypatch.setattr(tiles, "LONG", 8)
    parameters = initial_parameters([600, 270, 5], "tanh", np.random.default_rng(0), np.float32)
    network = Network(*parameters, "tanh", 70)
    for block in network.blocks:
        block[...] = 7
    assert all((W == 7).all() for W in network.parameters)
    assert sum(block.size for block in network.blocks) == sum(W.size for W in network.parameters)


# --- gemm -------------------------------------------------------------------------------------------

SHAPES = [(1, 1, 1), (1, 3, 4), (5, 1, 4), (5, 3, 1), (5, 3, 4)]


def matrices(dtype, m, k, n):
    rng = np.random.default_rng(0)
    large = [rng.normal(size=(9, 9)).astype(dtype) for _ in range(5)]
    lefts = [large[0][:m, :k], large[1][:k, 2 : 2 + m].T, np.ascontiguousarray(large[0][:m, :k])]
    rights = [large[2][:k, :n], large[3][:n, 1 : 1 + k].T, np.ascontiguousarray(large[2][:k, :n])]
    return [(left, right) for left in lefts for right in rights], large[4]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("alpha, beta", [(1.0, 0.0), (-0.5, 1.0), (2.0, 0.9)])
def test_gemm_is_the_formula_where_the_matrices_lie(dtype, shape, alpha, beta):
    m, _, n = shape
    pairs, large = matrices(dtype, *shape)
    for left, right in pairs:
        whole = large.copy()
        out = whole[1 : 1 + m, 2 : 2 + n]
        expected = beta * out + alpha * (left @ right)
        Gemm(left, right)(out, alpha, beta)
        assert_allclose(out, expected, rtol=100 * np.finfo(dtype).eps, atol=100 * np.finfo(dtype).eps)
        rest = np.ones(whole.shape, bool)
        rest[1 : 1 + m, 2 : 2 + n] = False
        assert_array_equal(whole[rest], large[rest])


def test_gemm_takes_another_array_each_time():
    left, right = np.arange(6.0).reshape(2, 3), np.arange(12.0).reshape(3, 4)
    gemm = Gemm(left, right)
    for _ in range(3):
        out = np.ones((2, 4))
        gemm(out, 2.0, 1.0)
        assert_array_equal(out, 1 + 2 * (left @ right))
