"""What exporters write in ways of their own: which tensors of an ONNX graph are weights."""

import onnx
from onnx import numpy_helper

__all__ = ["settle_constants"]

_PASSES_ON = {"Identity", "Dropout"}


def settle_constants(model: onnx.ModelProto) -> onnx.ModelProto:
    """Make every weight an initializer, and leave out the operations that change nothing.

    PyTorch writes the ones and zeros of a normalisation without factors as Constant nodes, names
    equal weights by Identity nodes, and leaves a dense layer's weight behind a Transpose, each as
    its version and options say.

    Args:
        model: Is changed; only good for reading weights afterwards.

    Returns:
        The same model.
    """
    graph = model.graph
    tensors = {tensor.name: tensor for tensor in graph.initializer}
    same: dict[str, str] = {}
    kept = []
    for node in graph.node:
        inputs = [same.get(name, name) for name in node.input]
        node.ClearField("input")
        node.input.extend(inputs)
        made = _constant(node, tensors)
        if made is not None:
            tensors[node.output[0]] = made
        elif node.op_type in _PASSES_ON:
            same[node.output[0]] = inputs[0]
        else:
            kept.append(node)
    for field, values in (("node", kept), ("initializer", list(tensors.values()))):
        graph.ClearField(field)
        getattr(graph, field).extend(values)
    return model


def _constant(
    node: onnx.NodeProto, tensors: dict[str, onnx.TensorProto]
) -> onnx.TensorProto | None:
    """Return what a node gives whatever the graph's input is; None if that is not known."""
    stated = {attribute.name: attribute for attribute in node.attribute}
    if node.op_type == "Constant" and "value" in stated:
        made = onnx.TensorProto()
        made.CopyFrom(stated["value"].t)
        made.name = node.output[0]
        return made
    if node.op_type == "Transpose" and node.input[0] in tensors:
        array = numpy_helper.to_array(tensors[node.input[0]])
        order = list(stated["perm"].ints) if "perm" in stated else None
        return numpy_helper.from_array(array.transpose(order), node.output[0])
    return None
