"""Export to ONNX, the format of models that run without Python and scikit-learn.

Fitted estimators, alone or in a pipeline, are converted by skl2onnx and run by onnxruntime, which
``pip install "skmetric[onnx]"`` installs.
"""

from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import is_classifier
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.utils.validation import check_is_fitted

from . import _onnx_graph as graphs
from .classification import SoftmaxMLPClassifier
from .contrastive import ContrastiveMetricTransformer
from .neighborhood import NeighborhoodMetricTransformer
from .triplet import TripletMetricTransformer
from .verification import PairVerifier

if TYPE_CHECKING:
    from onnx import ModelProto

__all__ = ["register_converters", "to_onnx"]

EMBEDDINGS = [ContrastiveMetricTransformer, NeighborhoodMetricTransformer, TripletMetricTransformer]
OLDEST_OPSET = 11
# As skl2onnx names them, and `transform`: give the last hidden layer instead of classes.
OPTIONS = {
    "zipmap": [True, False, "columns"],
    "output_class_labels": [False, True],
    "nocl": [True, False],
    "transform": [True, False],
}


def to_onnx(
    model: Any,
    X: ArrayLike,
    *,
    target_opset: int | None = None,
    options: dict[Any, Any] | None = None,
) -> "ModelProto":
    """Convert a fitted estimator, or a pipeline of such, to ONNX.

    This is ``skl2onnx.to_onnx`` after `register_converters`, with one other default: the probabilities
    of a classifier are a matrix, not a list of dicts.

    Parameters
    ----------
    model : estimator
        Fitted estimator of skmetric, or pipeline or search that contains one. The other steps can be all
        that skl2onnx converts.
    X : array-like or data frame of shape (n_samples, n_features)
        Rows of the type that the model will be given; one is enough. Their number is not kept: the
        exported model takes any number of rows. A data frame makes an input of each column.
    target_opset : int, default=None
        Version of the operators of ONNX (opset), at least 11. None for the newest that skl2onnx was
        tested with.
    options : dict, default=None
        Options for the converters, see the documentation of skl2onnx. A classifier has ``zipmap``,
        ``output_class_labels`` and ``nocl``; `SoftmaxMLPClassifier` also has ``transform``, with which
        the model gives the last hidden layer. None is ``{"zipmap": False}`` for a classifier.

    Returns
    -------
    onnx.ModelProto
        Exported model. An embedding has one output, in float64 if `X` is float64, else in float32. A
        classifier has two, the labels and the probabilities.

    Raises
    ------
    ImportError
        If skl2onnx is not installed.
    sklearn.exceptions.NotFittedError
        If the model is not fitted.
    TypeError
        If the model contains a `PairVerifier`, which cannot be converted.
    ValueError
        If `X` has another number of features than in `fit`, or if `target_opset` is too old.

    See Also
    --------
    register_converters : For use with functions of skl2onnx.

    Notes
    -----
    The exported model does not check its input: where `transform` raises an error, it may give NaN.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_iris
    >>> from skmetric import TripletMetricTransformer
    >>> from skmetric.onnx import to_onnx
    >>> import onnxruntime
    >>> X, y = load_iris(return_X_y=True)
    >>> X = X.astype(np.float32)
    >>> model = TripletMetricTransformer(4, max_iter=5, random_state=0).fit(X, y)
    >>> exported = to_onnx(model, X[:1])
    >>> session = onnxruntime.InferenceSession(exported.SerializeToString())
    >>> (Z,) = session.run(None, {"X": X})
    >>> bool(np.allclose(Z, model.transform(X), atol=1e-5))
    True
    """
    register_converters()
    import skl2onnx

    check_is_fitted(model)
    if not hasattr(X, "dtypes"):
        X = np.asarray(X)
    width = getattr(model, "n_features_in_", None)
    if width is not None and X.shape[1:] != (width,):
        raise ValueError(f"X must have shape (n_samples, {width}), as in fit, got {X.shape}.")
    if isinstance(target_opset, Integral) and target_opset < OLDEST_OPSET:
        raise ValueError(f"target_opset must be at least {OLDEST_OPSET}, or None, got {target_opset}.")
    model = getattr(model, "best_estimator_", model)
    if options is None:
        options = _default_options(model)
    return skl2onnx.to_onnx(model, X[:1], target_opset=target_opset, options=options)


def register_converters() -> None:
    """Make the estimators known to skl2onnx.

    After this call, ``skl2onnx.to_onnx`` and ``skl2onnx.convert_sklearn`` convert all estimators of
    skmetric, and pipelines that contain them. `to_onnx` calls it by itself. A second call changes
    nothing.

    Raises
    ------
    ImportError
        If skl2onnx is not installed.

    Examples
    --------
    >>> import skl2onnx
    >>> from sklearn.datasets import load_iris
    >>> from skmetric import ContrastiveMetricTransformer
    >>> from skmetric.onnx import register_converters
    >>> X, y = load_iris(return_X_y=True)
    >>> model = ContrastiveMetricTransformer(4, max_iter=5, random_state=0).fit(X, y)
    >>> register_converters()
    >>> skl2onnx.to_onnx(model, X[:1]).graph.output[0].name
    'variable'
    """
    try:
        from skl2onnx import update_registered_converter, update_registered_parser
    except ImportError as error:
        raise ImportError('skmetric exports with skl2onnx: pip install "skmetric[onnx]".') from error

    for Estimator in EMBEDDINGS:
        update_registered_converter(
            Estimator, f"Skmetric{Estimator.__name__}", _embedding_shapes, _convert_embedding
        )
    update_registered_converter(
        SoftmaxMLPClassifier,
        "SkmetricSoftmaxMLPClassifier",
        _classifier_shapes,
        _convert_classifier,
        parser=_parse_classifier,
        options=OPTIONS,
    )
    update_registered_parser(PairVerifier, _refuse_verifier)


def _default_options(model):
    """Matrices of probabilities; and the last hidden layer of a classifier that is not the last step."""
    classifiers = [step for step in _transformers(model) if isinstance(step, SoftmaxMLPClassifier)]
    options = {id(step): {"transform": True} for step in classifiers}
    return options | {id(model): {"zipmap": False}} if is_classifier(model) else options


def _transformers(model, is_last=True):
    """Yield the steps, at any depth, of which `transform` is used."""
    steps = []
    if isinstance(model, Pipeline):
        *steps, last = [step for _, step in model.steps]
        yield from _transformers(last, is_last)
    elif isinstance(model, FeatureUnion):
        steps = [step for _, step in model.transformer_list]
    elif isinstance(model, ColumnTransformer):
        steps = [step for _, step, _ in model.transformers_]
    elif not is_last:
        yield model
    for step in steps:
        yield from _transformers(step, is_last=False)


# --- what skl2onnx calls ------------------------------------------------------------------------------


def _embedding_shapes(operator):
    check_is_fitted(operator.raw_operator)
    operator.outputs[0].type.shape = [None, operator.raw_operator._n_features_out]


def _convert_embedding(scope, operator, container):
    graph = graphs.Graph(scope, operator, container)
    graph.give(0, graphs.embeddings(graph, graph.rows()))


def _parse_classifier(scope, model, inputs, custom_parsers=None):
    from skl2onnx import get_model_alias
    from skl2onnx._parse import _parse_sklearn_classifier
    from skl2onnx.common.data_types import guess_tensor_type

    check_is_fitted(model)
    if not scope.get_options(model, {"transform": False})["transform"]:
        return _parse_sklearn_classifier(scope, model, inputs, custom_parsers)
    operator = scope.declare_local_operator(get_model_alias(type(model)), model)
    operator.inputs = inputs
    operator.outputs.append(scope.declare_local_variable("variable", guess_tensor_type(inputs[0].type)))
    return operator.outputs


def _classifier_shapes(operator):
    from skl2onnx.common.data_types import Int64TensorType, StringTensorType

    model = operator.raw_operator
    if len(operator.outputs) == 1:
        operator.outputs[0].type.shape = [None, model._n_features_out]
        return
    is_text = _classes(operator.scope_inst, model).dtype.kind == "O"
    operator.outputs[0].set_type((StringTensorType if is_text else Int64TensorType)([None]))
    operator.outputs[1].type.shape = [None, len(model.classes_)]


def _classes(scope, model):
    """Labels as ONNX knows them: int64, or text as bytes in an array of objects."""
    from skl2onnx.common.utils_classifier import get_label_classes

    classes = get_label_classes(scope, model)
    if isinstance(classes[0], str):
        return np.array([label.encode() for label in classes], dtype=object)
    return classes.astype(np.int64)


def _convert_classifier(scope, operator, container):
    graph = graphs.Graph(scope, operator, container)
    X = graph.rows()
    if len(operator.outputs) == 1:
        graph.give(0, graphs.activations(graph, X))
        return
    Z = graphs.logits(graph, X)
    code = graph.add("ArgMax", Z, axis=1, keepdims=0)
    graph.give(0, graph.add("Gather", _classes(scope, graph.model), code))
    graph.give(1, graph.add("Softmax", Z, axis=1))


def _refuse_verifier(scope, model, inputs, custom_parsers=None):
    raise TypeError(
        "PairVerifier takes pairs of rows, and cannot be converted to ONNX. Convert its transformer, and "
        "compare the distances of the embeddings with threshold_."
    )
