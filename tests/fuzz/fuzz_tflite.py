"""TensorFlow Lite models: tables, shapes and offsets that nobody writes."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fuzz.fuzz_manifest import open_and_decide
from fuzz.fuzz_onnx import decide_in_process, write_model
from fuzz.fuzz_wav import demo_samples
from fuzz.judge import manifest_of
from fuzz.mutate import EDGES, mutate_bytes
from fuzz.target import Trial

__all__ = ["TfliteTarget"]


class TfliteTarget:
    """Opened within the worker, which stands for the process in which ``load`` tries first."""

    may_probe = True
    needs = ("ai_edge_litert", "torch")
    has_short_road = True

    def prepare(self, seeds: Path) -> None:
        """Export two small models, once."""
        folders = [seeds / kind for kind in ("tflite-fp32", "tflite-int8")]
        if not (folders[-1] / "manifest.json").exists():
            # Exporting needs torch, which is not for the process that tries.
            command = [sys.executable, "-m", "fuzz.tflite_seeds", str(seeds)]
            subprocess.run(command, check=True)
        self._seeds = [(manifest_of(f), (f / "model.tflite").read_bytes()) for f in folders]
        self._clip = demo_samples()[20_000:60_000]

    def draw(self, trial: Trial) -> Callable[[], None]:
        """Change a model, to open its folder and let it decide."""
        rng = trial.rng
        manifest, model = rng.choice(self._seeds)
        kind = rng.random()
        if kind < 0.5:
            changed = mutate_bytes(rng, model, model)
        else:
            changed = _change(rng, model)
            if kind > 0.95:
                changed = mutate_bytes(rng, changed, model, 1)
        folder = trial.folder / "m"
        write_model(folder, manifest, "model.tflite", changed)
        if trial.product:
            return lambda: open_and_decide(folder, None, self._clip)
        return lambda: decide_in_process(folder, self._clip)


def _change(rng: random.Random, content: bytes) -> bytes:
    """Change the parsed model once or twice."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(content, 0))
    for _ in range(rng.choice((1, 1, 2))):
        rng.choice(_CHANGES)(rng, model)
    builder = flatbuffers.Builder(len(content) + 1024)
    try:
        builder.Finish(model.Pack(builder), b"TFL3")
    except Exception:
        # What the schema's own writer cannot write is left to the changes of bytes.
        return mutate_bytes(rng, content)
    return bytes(builder.Output())


def _number(rng: random.Random) -> int:
    return int(rng.choice([edge for edge in EDGES if -(2**31) <= edge < 2**31]))


def _tensor(rng: random.Random, model: Any) -> None:
    graph = model.subgraphs[0]
    tensor = rng.choice(graph.tensors)
    kind = rng.randrange(8)
    if kind == 0:
        tensor.shape = [_number(rng) for _ in range(rng.choice((0, 1, 2, 3, 5, 9)))]
    elif kind == 1 and tensor.shape is not None and len(tensor.shape):
        shape = [int(size) for size in tensor.shape]
        at = rng.randrange(len(shape))
        shape[at] = rng.choice((0, -1, shape[at] + 1, shape[at] - 1, 10**9))
        tensor.shape = shape
    elif kind == 2:
        tensor.type = rng.randrange(20)
    elif kind == 3:
        tensor.buffer = rng.choice((0, rng.randrange(len(model.buffers)), 10**6, 2**32 - 1))
    elif kind == 4:
        tensor.isVariable = not tensor.isVariable
    elif kind == 5:
        tensor.quantization = rng.choice(graph.tensors).quantization
    elif kind == 6:
        tensor.shapeSignature = [_number(rng) for _ in range(rng.choice((0, 1, 3)))]
    else:
        tensor.name = rng.choice((b"", b"features", b"logits", b"\xff\xfe", b"\x1b[31m"))


def _buffer(rng: random.Random, model: Any) -> None:
    buffer = rng.choice([b for b in model.buffers if b.data is not None and len(b.data)])
    data = bytes(bytearray(buffer.data))
    kind = rng.randrange(4)
    if kind == 0:
        buffer.data = list(data[: rng.choice((0, 1, len(data) // 2, len(data) - 1))])
    elif kind == 1:
        buffer.data = list(mutate_bytes(rng, data, b"", 1))
    elif kind == 2:
        buffer.data = list(
            rng.choice((b"\0\0\xc0\x7f", b"\xff\xff\x7f\x7f", bytes(4))) * (len(data) // 4)
        )
    else:
        buffer.offset, buffer.size = _number(rng) % 2**31, _number(rng) % 2**31


def _operator(rng: random.Random, model: Any) -> None:
    graph = model.subgraphs[0]
    operators = graph.operators
    operator = rng.choice(operators)
    kind = rng.randrange(8)
    if kind == 0:
        del operators[rng.randrange(len(operators))]
    elif kind == 1:
        operators.insert(rng.randrange(len(operators)), operator)
    elif kind == 2:
        operator.opcodeIndex = rng.choice((0, rng.randrange(len(model.operatorCodes)), 1000))
    elif kind in (3, 4):
        values = [int(n) for n in operator.inputs]
        values[rng.randrange(len(values))] = rng.choice(
            (-1, -2, rng.randrange(len(graph.tensors)), 10**6, 2**31 - 1)
        )
        operator.inputs = values[: rng.choice((len(values), len(values), len(values) - 1))]
    elif kind == 5:
        operator.outputs = [rng.choice((-1, rng.randrange(len(graph.tensors)), 10**6))]
    elif kind == 6:
        other = rng.choice(operators)
        operator.builtinOptions, operator.builtinOptionsType = (
            other.builtinOptions, other.builtinOptionsType,
        )  # fmt: skip
    else:
        options = operator.builtinOptions
        if options is not None and vars(options):
            setattr(options, rng.choice(sorted(vars(options))), rng.choice((0, 1, 2, 7, 100)))


def _code(rng: random.Random, model: Any) -> None:
    code = rng.choice(model.operatorCodes)
    number = rng.randrange(210)
    code.builtinCode, code.deprecatedBuiltinCode = number, min(number, 127)
    if rng.random() < 0.2:
        code.version = _number(rng)


def _ends(rng: random.Random, model: Any) -> None:
    graph = model.subgraphs[0]
    n = len(graph.tensors)
    ends = [rng.choice((-1, rng.randrange(n), n, 10**6)) for _ in range(rng.choice((0, 1, 2, 3)))]
    if rng.random() < 0.5:
        graph.inputs = ends
    else:
        graph.outputs = ends
    if rng.random() < 0.2:
        model.subgraphs.append(graph)


_CHANGES: tuple[Callable[[random.Random, Any], None], ...] = (
    _tensor, _tensor, _buffer, _operator, _operator, _code, _ends,
)  # fmt: skip
