"""An ONNX file without what no runtime needs: a small model's is a tenth smaller and faster."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

__all__ = ["compact_onnx"]

_LSTMS = ("LSTM", "DynamicQuantizeLSTM")
# Places of the initial hidden and cell state among an LSTM's inputs.
_INITIAL_STATES = (5, 6)
# A BiLSTM's output is (T, 2, B, hidden).
_TIME_FIRST, _BATCH_FIRST = [0, 2, 1, 3], [2, 0, 1, 3]


def compact_onnx(content: bytes) -> bytes:
    """Leave out what torch's exporter writes and a runtime does as well without.

    An LSTM begins with zeros unless told otherwise, so the nodes that make them go; its output is
    turned once and not twice; shapes between nodes are left for the runtime to infer; equal
    constants are stored once; names between nodes are short.  Names of nodes, stored weights,
    inputs and outputs stay: reports and errors speak of them.

    Parameters
    ----------
    content : bytes
        A checked model.

    Returns
    -------
    bytes
        A model with the same results; the same bytes for the same content.
    """
    import onnx

    model = onnx.load_from_string(content)
    graph = model.graph
    del graph.value_info[:]
    renamed = _share_constants(graph)
    _rename(graph, renamed)
    _drop_initial_states(graph)
    _rename(graph, _turn_once(graph))
    _drop_unused(graph)
    lasting = {each.name for each in (*graph.initializer, *graph.input, *graph.output)}
    made = [name for node in graph.node for name in node.output if name and name not in lasting]
    _rename(graph, {name: f"v{number}" for number, name in enumerate(made)})
    onnx.checker.check_model(model)
    compact: bytes = model.SerializeToString(deterministic=True)
    return compact


def _rename(graph: Any, names: dict[str, str]) -> None:
    for node in graph.node:
        for ends in (node.input, node.output):
            ends[:] = [names.get(name, name) for name in ends]


def _keep(graph: Any, nodes: list[Any]) -> None:
    del graph.node[:]
    graph.node.extend(nodes)


def _share_constants(graph: Any) -> dict[str, str]:
    """Make initializers of ``Constant`` nodes, equal ones one; gives their new names."""
    shared: dict[bytes, str] = {}
    renamed = {}
    others = []
    for node in graph.node:
        if node.op_type != "Constant":
            others.append(node)
            continue
        tensor = node.attribute[0].t
        tensor.name = ""
        key = tensor.SerializeToString(deterministic=True)
        if key not in shared:
            shared[key] = tensor.name = f"c{len(shared)}"
            graph.initializer.append(tensor)
        renamed[node.output[0]] = shared[key]
    _keep(graph, others)
    return renamed


def _drop_initial_states(graph: Any) -> None:
    """Take initial states away where they are zeros."""
    from onnx import numpy_helper

    zeros = {
        node.output[0]
        for node in graph.node
        if node.op_type == "ConstantOfShape"
        and not any(np.any(numpy_helper.to_array(a.t)) for a in node.attribute)
    }
    for node in graph.node:
        if node.op_type in _LSTMS and all(node.input[at] in zeros for at in _INITIAL_STATES):
            for at in _INITIAL_STATES:
                node.input[at] = ""


def _turn_once(graph: Any) -> dict[str, str]:
    """Bring an LSTM's output to batch first before its directions are joined, not behind.

    Gives what the output of a node that went is called now.
    """
    made = {name: node for node in graph.node for name in node.output}
    readers = Counter(name for node in graph.node for name in node.input)
    gone = {}
    others = []
    for node in graph.node:
        join = made.get(node.input[0]) if node.op_type == "Transpose" else None
        turn = made.get(join.input[0]) if join and join.op_type == "Reshape" else None
        source = made.get(turn.input[0]) if turn and turn.op_type == "Transpose" else None
        if (
            join
            and turn
            and source
            and source.op_type in _LSTMS
            and all(readers[each.output[0]] == 1 for each in (join, turn))
            and [*turn.attribute[0].ints, *node.attribute[0].ints] == [*_TIME_FIRST, 1, 0, 2]
        ):
            turn.attribute[0].ints[:] = _BATCH_FIRST
            gone[node.output[0]] = join.output[0]
            continue
        others.append(node)
    _keep(graph, others)
    return gone


def _drop_unused(graph: Any) -> None:
    """Drop nodes and initializers that nothing reads any more."""
    read = {each.name for each in graph.output}
    used = []
    # Nodes stand in the order in which they run.
    for node in reversed(graph.node):
        if read.intersection(node.output):
            used.append(node)
            read.update(node.input)
    _keep(graph, used[::-1])
    kept = [each for each in graph.initializer if each.name in read]
    del graph.initializer[:]
    graph.initializer.extend(kept)
