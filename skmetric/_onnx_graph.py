"""The graph of a fitted network in ONNX: nodes, and what each estimator computes with them."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from ._engine.side_by_side import apart

ACTIVATIONS = {"relu": "Relu", "tanh": "Tanh", "logistic": "Sigmoid", "identity": "Identity"}
FIRST_WITH_AXES_AS_INPUT = 18  # opset in which reductions take their axes as an input


class Graph:
    """Nodes of one estimator, computed in the type of its weights.

    Parameters
    ----------
    scope, operator, container : skl2onnx objects
        What skl2onnx hands to a converter.
    """

    def __init__(self, scope, operator, container):
        self.scope = scope
        self.operator = operator
        self.container = container
        self.model = operator.raw_operator
        check_is_fitted(self.model)
        self.dtype = self.model.coefs_[0].dtype

    def add(self, kind, *inputs, **attributes):
        """Add a node, return the name of its output. Inputs are names, or arrays as constants."""
        result = self.scope.get_unique_variable_name(kind.lower())
        self._add(kind, inputs, result, attributes)
        return result

    def give(self, number, name):
        """Make a result an output of the estimator, in the type that skl2onnx declared for it."""
        from skl2onnx.common.data_types import guess_proto_type

        output = self.operator.outputs[number]
        self._add("Cast", [name], output.full_name, {"to": guess_proto_type(output.type)})

    def rows(self):
        """Return the rows in the type of the weights. Several inputs are columns beside each other."""
        from onnx.helper import np_dtype_to_tensor_dtype

        to = np_dtype_to_tensor_dtype(self.dtype)
        columns = [self.add("Cast", given.full_name, to=to) for given in self.operator.inputs]
        return self.beside(columns)

    def beside(self, columns):
        """Put matrices beside each other."""
        return columns[0] if len(columns) == 1 else self.add("Concat", *columns, axis=1)

    def largest(self, name):
        """Return the largest entry of each row, (n, 1)."""
        return self._of_each_row("ReduceMax", name)

    def lengths(self, name):
        """Return the Euclidean length of each row, (n, 1)."""
        return self._of_each_row("ReduceL2", name)

    def _of_each_row(self, kind, name):
        if self.container.target_opset < FIRST_WITH_AXES_AS_INPUT:
            return self.add(kind, name, axes=[1], keepdims=1)
        return self.add(kind, name, np.array([1]), keepdims=1)

    def _add(self, kind, inputs, result, attributes):
        names = [given if isinstance(given, str) else self._constant(given) for given in inputs]
        self.container.add_node(
            kind, names, [result], name=self.scope.get_unique_operator_name(kind), **attributes
        )

    def _constant(self, values):
        from onnx.helper import np_dtype_to_tensor_dtype

        name = self.scope.get_unique_variable_name("constant")
        kind = np_dtype_to_tensor_dtype(values.dtype)
        self.container.add_initializer(name, kind, values.shape, values.ravel())
        return name


def network_outputs(graph, X):
    """Add the networks of a model. Return the name of the outputs of each."""
    return [graph.add("Gemm", H, W, b) for H, W, b in _last_layers(graph, X)]


def hidden_units(graph, X):
    """Add the networks without their last layers. Return the name of the units of each."""
    return [H for H, _, _ in _last_layers(graph, X)]


def _last_layers(graph, X):
    """Add the hidden layers. Return what the last layer of each network multiplies and adds."""
    model = graph.model
    activation = ACTIVATIONS[model.activation]
    for coefs, intercepts in apart(model.coefs_, model.intercepts_):
        H = X
        for W, b in zip(coefs[:-1], intercepts[:-1]):
            H = graph.add(activation, graph.add("Gemm", H, W, b))
        yield H, coefs[-1], intercepts[-1]


def on_sphere(graph, Z):
    """Divide rows by their lengths, as `losses.normalized` does; a row of zeros stays."""
    smallest = np.array(np.finfo(graph.dtype).smallest_subnormal)
    largest = graph.largest(graph.add("Abs", Z))
    U = graph.add("Div", Z, graph.add("Max", largest, smallest))
    # An entry of 1 or -1 makes a row at least 1 long, unless all of them are zeros.
    return graph.add("Div", U, graph.add("Max", graph.lengths(U), np.array(1, dtype=graph.dtype)))


def embeddings(graph, X):
    """Add what `transform` of an embedding computes. Return its name."""
    model = graph.model
    networks = network_outputs(graph, X)
    if model.normalize:
        networks = [on_sphere(graph, F) for F in networks]
    if model.rotation_ is None:
        return networks[0]
    kept = []
    if model.input_axes_ is not None:
        kept = [graph.add("Gemm", X, model.input_axes_, model.input_offset_)]
    Z = graph.add("MatMul", graph.beside([*networks, *kept]), model.rotation_)
    return on_sphere(graph, Z) if model.normalize else Z


def logits(graph, X):
    """Add the mean logits of the networks of a classifier. Return their name."""
    networks = network_outputs(graph, X)
    if len(networks) == 1:
        return networks[0]
    total = graph.add("Sum", *networks)
    return graph.add("Div", total, np.array(len(networks), dtype=graph.dtype))


def activations(graph, X):
    """Add what `transform` of a classifier computes: the last hidden layers of its networks."""
    return graph.beside(hidden_units(graph, X))
