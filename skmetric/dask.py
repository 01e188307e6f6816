"""Training and inference on a cluster of Dask.

`fit` trains an estimator on rows that lie in the memory of several machines. `transform`, `predict` and
`predict_proba` compute results block by block, lazily. ``pip install "skmetric[dask]"`` installs Dask.
"""

import copy
import heapq
import math
from functools import partial
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from ._building import batch_size_of
from ._local_sgd import LocalSGD, Shard
from ._network_estimator import NetworkEstimator
from ._numbers import check_count
from ._warn import warn

try:
    import dask
    import dask.array as da
    from distributed import Client, get_client

    from ._dask_partitions import Partitions
except ImportError as error:
    raise ImportError('skmetric.dask needs Dask: pip install "skmetric[dask]".') from error

__all__ = ["fit", "predict", "predict_proba", "transform"]


def fit(
    estimator: Any,
    X: Any,
    y: Any,
    *,
    client: "Client | None" = None,
    rounds: int | None = None,
    steps_per_round: int = 100,
) -> Any:
    """Fit an estimator to rows on a cluster, by local SGD.

    The partitions are divided into as many shards as there are workers. In a round, each worker trains a
    copy of the model for some steps on its shard. Then the weights of the copies, and the states of their
    optimizers, are averaged, weighted by the numbers of rows. Before the first round, the model is
    trained by one `partial_fit` on a sample of up to 10,000 rows, which also sets the scaling of the
    features, the principal components and the size of the embedding.

    A round takes the place of an epoch: in the schedule of the learning rate, in `history_`, and for
    early stopping, which sets random rows aside. The result does not depend on which worker does what,
    so that a worker may be lost in a round.

    Parameters
    ----------
    estimator : estimator
        Estimator of skmetric that has `partial_fit`. It is changed.
    X : dask array or dask data frame of shape (n_samples, n_features)
        Training rows. A partition may be empty, and its length need not be known.
    y : dask array, dask series or array-like of shape (n_samples,)
        Class labels. If `X` is a data frame, or if lengths are not known, they must be cut into the same
        partitions. With a data frame, they must be an array or a series of Dask.
    client : distributed.Client, default=None
        Connection to the cluster. If None, the client in use.
    rounds : int, default=None
        Number of rounds. If None, as many as ``max_iter`` passes over the largest shard take.
    steps_per_round : int, default=100
        Number of batches that each copy is trained on in a round. More steps need less communication,
        and the copies move further apart.

    Returns
    -------
    estimator
        The fitted estimator. It does not need Dask.

    Raises
    ------
    ValueError
        If there is no client; if `X` and `y` are not cut into the same partitions, or hold values that
        `fit` would refuse; if a shard has rows of one class only; if early stopping finds no rows; if
        the estimator has callbacks, ``batch_norm=True``, ``shuffle=False``,
        ``class_weight="balanced"``, or a model that ``warm_start=True`` would continue; or if the
        training diverges.
    TypeError
        If `X` or `y` is not of Dask, or `estimator` not of skmetric.

    References
    ----------
    S. U. Stich, "Local SGD converges fast and communicates little", ICLR 2019.

    Examples
    --------
    >>> import dask.array as da
    >>> from distributed import Client, LocalCluster
    >>> from sklearn.datasets import load_digits
    >>> from skmetric import TripletMetricTransformer
    >>> from skmetric.dask import fit, transform
    >>> X, y = (da.from_array(part, chunks=300) for part in load_digits(return_X_y=True))
    >>> with LocalCluster(processes=False, dashboard_address=None) as cluster, Client(cluster):
    ...     model = fit(TripletMetricTransformer(max_iter=3, random_state=0), X.rechunk((300, 64)), y)
    >>> model.transform(X[:5].compute()).shape
    (5, 64)
    """
    _check_parameters(estimator)
    check_count(steps_per_round, "steps_per_round")
    if rounds is not None:
        check_count(rounds, "rounds")
    client = _client(client)
    seed = int(check_random_state(estimator.random_state).randint(2**31))
    data = Partitions(estimator, X, y, client, seed)
    model = clone(estimator).set_params(
        batch_size=batch_size_of(estimator, sum(data.sizes)),
        early_stopping=False,
        random_state=seed,
        verbose=False,
    )
    cluster = Cluster(client, data, model.batch_size * steps_per_round, seed)
    if rounds is None:
        rounds = math.ceil(int(estimator.max_iter) * max(cluster.weights) / cluster.n_rows)
    sample, labels = data.sample()
    model.partial_fit(_named(sample, X), labels, classes=data.classes)
    held_out = data.held_out(model) if estimator.early_stopping else None
    LocalSGD(model, sample, held_out).train(cluster, rounds, estimator.verbose)
    model._check_learned(sample, (labels,), loss=None, n_epochs=0)
    return _hand_over(model, estimator)


def _check_parameters(estimator):
    _check_type(estimator, "estimator")
    estimator._validate_params()
    if estimator.batch_norm:
        raise ValueError(
            "batch_norm=True cannot be used on a cluster, because the statistics of the shards differ. "
            "Set batch_norm=False."
        )
    if not estimator.shuffle:
        raise ValueError(
            "shuffle=False cannot be used on a cluster, because each round takes random rows. Set "
            "shuffle=True."
        )
    if isinstance(getattr(estimator, "class_weight", None), str):
        raise ValueError(
            f"class_weight={estimator.class_weight!r} cannot be used on a cluster, because no worker has "
            "all rows. Pass a dict."
        )
    if estimator.warm_start and hasattr(estimator, "coefs_"):
        raise ValueError("warm_start=True cannot be used on a cluster. Set warm_start=False.")
    if getattr(estimator, "_skl_callbacks", None):
        raise ValueError("Callbacks cannot be used on a cluster. Remove them with set_callbacks().")


def _check_type(estimator, name):
    if not isinstance(estimator, NetworkEstimator):
        raise TypeError(f"{name} must be an estimator of skmetric, got {type(estimator).__name__}.")


def _client(client):
    try:
        return get_client() if client is None else client
    except ValueError as error:
        raise ValueError(
            "client=None needs a connection to a cluster: call "
            "distributed.Client(threads_per_worker=1) first, for a cluster of this machine, or pass "
            "client."
        ) from error


def _hand_over(model, estimator):
    """Give an estimator what a copy of it has learned."""
    parameters = {name: vars(estimator)[name] for name in estimator.get_params(deep=False)}
    learned = {name: value for name, value in vars(model).items() if name not in parameters}
    learned |= {"_optimizer_state": {}, "_loss_parameters": [], "_as_trained": []}
    vars(estimator).clear()
    vars(estimator).update(learned | parameters)
    return estimator


def _named(rows, X):
    """Return rows as a data frame if `X` is one, so that the names of its columns are learned."""
    if not hasattr(X, "columns"):
        return rows
    import pandas as pd

    return pd.DataFrame(rows, columns=X.columns)


# --- rounds -----------------------------------------------------------------------------------------


class Cluster:
    """Shards of the data, one for each worker.

    Parameters
    ----------
    client : distributed.Client
        Connection to the cluster.
    data : Partitions
        The data.
    n_rows : int
        Number of rows that a copy is trained on in a round.
    seed : int
        Seed of the rounds.
    """

    def __init__(self, client, data, n_rows, seed):
        self.client = client
        self.n_rows = n_rows
        self.classes = data.classes
        self.seed = seed
        n_workers = len(client.nthreads())
        self.shards = _balanced(data.sizes, n_workers)
        n_shards = len(self.shards)
        if n_shards < n_workers:
            warn(
                f"X has rows in {n_shards} partitions only, so that {n_workers - n_shards} of {n_workers}"
                " workers are idle. Cut X into more partitions, for example with rechunk."
            )
        self.parts = [[data.parts[k] for k in shard] for shard in self.shards]
        self.weights = [sum(data.sizes[k] for k in shard) for shard in self.shards]
        for shard in self.shards:
            found = np.unique(np.concatenate([data.labels[k] for k in shard]))
            if len(found) < 2:
                numbers = [data.numbers[k] for k in shard]
                raise ValueError(
                    f"A worker gets the partitions {numbers} of X, which have rows of the class "
                    f"{found.tolist()[0]!r} only. Shuffle the rows, or make more partitions."
                )

    def learn(self, model, rate, number):
        """Train a copy of a model on each shard, see `Shard.learn`."""
        with dask.config.set({"distributed.admin.large-graph-warning-threshold": "1 GiB"}):
            # What is scattered is lost with its worker, but a task is run again.
            handed = self.client.submit(_same, model, pure=False)
        settings = rate, number, self.n_rows, self.classes
        futures = [
            self.client.submit(_learn, handed, *settings, [self.seed, k], *parts, pure=False)
            for k, parts in enumerate(self.parts)
        ]
        return self.client.gather(futures)


def _same(model):
    return model


def _learn(model, rate, number, n_rows, classes, seed, *parts):
    return Shard(parts, classes, seed).learn(model, rate, number, n_rows)


def _balanced(sizes, n_shards):
    """Divide partitions into shards: the largest first, each to the smallest shard."""
    shards = [[] for _ in range(min(n_shards, len(sizes)))]
    totals = [(0, number) for number in range(len(shards))]
    for k in sorted(range(len(sizes)), key=sizes.__getitem__, reverse=True):
        total, number = totals[0]
        shards[number].append(k)
        heapq.heapreplace(totals, (total + sizes[k], number))
    return [sorted(shard) for shard in shards]


# --- inference --------------------------------------------------------------------------------------


def transform(model: Any, X: Any) -> Any:
    """Compute `transform` of a fitted estimator block by block, lazily.

    Parameters
    ----------
    model : estimator
        Fitted estimator of skmetric.
    X : dask array or dask data frame of shape (n_samples, n_features)
        Rows.

    Returns
    -------
    dask array of shape (n_samples, n_components)
        Embeddings, in the chunks of the rows of `X`.

    Raises
    ------
    TypeError
        If `X` is not of Dask, or `model` not of skmetric.
    ValueError
        If `X` has other features than the rows of `fit`. When the result is computed, if a value is not
        finite.

    Examples
    --------
    >>> import dask.array as da
    >>> from sklearn.datasets import load_iris
    >>> from skmetric import TripletMetricTransformer
    >>> from skmetric.dask import transform
    >>> X, y = load_iris(return_X_y=True)
    >>> model = TripletMetricTransformer(2, max_iter=5, random_state=0).fit(X, y)
    >>> transform(model, da.from_array(X, chunks=(50, 4))).chunks
    ((50, 50, 50), (2,))
    """
    model = _as_it_is(model)
    model.set_output(transform="default")
    return _by_block(model.transform, X, (model._n_features_out,), model.coefs_[0].dtype)


def predict(model: Any, X: Any) -> Any:
    """Compute `predict` of a fitted classifier block by block, lazily.

    Parameters
    ----------
    model : SoftmaxMLPClassifier
        Fitted classifier.
    X : dask array or dask data frame of shape (n_samples, n_features)
        Rows.

    Returns
    -------
    dask array of shape (n_samples,)
        Classes, in the chunks of the rows of `X`.

    Raises
    ------
    TypeError
        If `X` is not of Dask, or `model` not of skmetric.
    ValueError
        If `X` has other features than the rows of `fit`. When the result is computed, if a value is not
        finite.

    Examples
    --------
    >>> import dask.array as da
    >>> from sklearn.datasets import load_iris
    >>> from skmetric import SoftmaxMLPClassifier
    >>> from skmetric.dask import predict
    >>> X, y = load_iris(return_X_y=True)
    >>> model = SoftmaxMLPClassifier(random_state=0).fit(X, y)
    >>> predict(model, da.from_array(X, chunks=(50, 4)))[:3].compute()
    array([0, 0, 0])
    """
    model = _as_it_is(model)
    return _by_block(model.predict, X, (), model.classes_.dtype)


def predict_proba(model: Any, X: Any) -> Any:
    """Compute `predict_proba` of a fitted classifier block by block, lazily.

    Parameters
    ----------
    model : SoftmaxMLPClassifier
        Fitted classifier.
    X : dask array or dask data frame of shape (n_samples, n_features)
        Rows.

    Returns
    -------
    dask array of shape (n_samples, n_classes)
        Probabilities, in the chunks of the rows of `X`.

    Raises
    ------
    TypeError
        If `X` is not of Dask, or `model` not of skmetric.
    ValueError
        If `X` has other features than the rows of `fit`. When the result is computed, if a value is not
        finite.

    Examples
    --------
    >>> import dask.array as da
    >>> from sklearn.datasets import load_iris
    >>> from skmetric import SoftmaxMLPClassifier
    >>> from skmetric.dask import predict_proba
    >>> X, y = load_iris(return_X_y=True)
    >>> model = SoftmaxMLPClassifier(random_state=0).fit(X, y)
    >>> predict_proba(model, da.from_array(X, chunks=(50, 4))).shape
    (150, 3)
    """
    model = _as_it_is(model)
    return _by_block(model.predict_proba, X, (len(model.classes_),), model.coefs_[0].dtype)


def _as_it_is(model):
    """Return a copy, so that a later fit does not change a result that is not computed yet."""
    _check_type(model, "model")
    check_is_fitted(model)
    return copy.deepcopy(model)


def _by_block(method, X, shape, dtype):
    if not dask.is_dask_collection(X):
        raise TypeError(
            f"X must be an array or a data frame of Dask, got {type(X).__name__}. For rows in memory, "
            f"call the method {method.__name__}."
        )
    is_array = isinstance(X, da.Array)
    no_row = np.empty((0, X.shape[1])) if is_array else X._meta
    validate_data(method.__self__, no_row, reset=False, skip_check_array=True)
    nothing = np.empty((0, *shape), dtype)
    compute = partial(_of_block, method=method, nothing=nothing)
    if not is_array:
        return X.map_partitions(compute, meta=nothing)
    X = X.rechunk({1: -1})
    chunks = (X.chunks[0], *((width,) for width in shape))
    dropped = {} if shape else {"drop_axis": 1}
    return X.map_blocks(compute, dtype=dtype, chunks=chunks, meta=nothing, **dropped)


def _of_block(X, method, nothing):
    return method(X) if X.shape[0] > 0 else nothing
