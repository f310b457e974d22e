"""Weights of several widths in one file come out as they went in, and a bad file is refused."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from artifact_fakes import TINY, draw_weights, manifest_fields

from edge.artifact import Manifest
from edge.errors import ArtifactError
from edge.models.claf_ser.weights import matrix_shape, weight_shapes
from edge.runtimes.numpy.model import NumpyModel
from edge.runtimes.numpy.packed import group_size, unpack_int4
from edge.runtimes.numpy.weights import read_weights

# The three widths, and the three ways to share a factor.
PLAN = {
    "lstm.weight_hh": (4, 3),
    "fc1.weight": (4, 0),
    "fc2.weight": (8, 1),
    "conv.weight": (8, 1),
    "attention.key.weight": (8, 5),
    "lstm.weight_ih": (32, 0),
}


def packed_file(
    spoil: Callable[[dict[str, np.ndarray]], Any] | None = None,
) -> tuple[bytes, dict[str, np.ndarray]]:
    """A packed file, and the weights that it must give."""
    generator = np.random.default_rng(1)
    plan, wanted = [], {}
    streams: dict[str, list[np.ndarray]] = {}
    for name, weight in draw_weights(TINY).items():
        bits, n_groups = PLAN.get(name, (16, 0))
        plan.append((bits, n_groups))
        if bits >= 16:
            stored = weight.astype(f"f{bits // 8}").reshape(-1)
            streams.setdefault(f"float{bits}", []).append(stored)
            wanted[name] = stored.astype(np.float32).reshape(weight.shape)
            continue
        n_rows, n_inputs = matrix_shape(name, weight.shape)
        top = 8 if bits == 4 else 128
        whole = generator.integers(-top, top, weight.size)
        scale = generator.uniform(1e-3, 2e-2, n_rows * n_groups or 1).astype(np.float16)
        streams.setdefault("scale", []).append(scale)
        if bits == 4:
            halves = np.append(whole & 15, [0] * (weight.size % 2)).astype(np.uint8)
            streams.setdefault("int4", []).append(halves[::2] | halves[1::2] << 4)
        else:
            streams.setdefault("int8", []).append(whole.astype(np.int8))
        factors = scale.astype(np.float32)
        if n_groups:
            size = group_size(n_inputs, n_groups)
            factors = np.array(
                [
                    factors[row * n_groups + i // size]
                    for row in range(n_rows)
                    for i in range(n_inputs)
                ]
            )
        wanted[name] = (whole.astype(np.float32) * factors).reshape(weight.shape)
    arrays = {"plan": np.array(plan, dtype=np.int32)}
    arrays |= {name: np.concatenate(parts) for name, parts in streams.items()}
    if spoil:
        spoil(arrays)
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue(), wanted


def test_every_width_is_read():
    content, wanted = packed_file()
    found = read_weights(content, TINY)
    assert list(found) == list(weight_shapes(TINY))
    for name, weight in wanted.items():
        assert found[name].dtype == np.float32
        assert np.array_equal(found[name], weight), name


def test_a_backend_runs_it():
    content, _ = packed_file()
    session = NumpyModel(Manifest.from_dict(manifest_fields()), content).session()
    logits = session.infer(np.ones((1, 7, 34), dtype=np.float32), 4)
    assert np.isfinite(logits).all()


@pytest.mark.parametrize("n", [1, 2, 5])
def test_an_odd_count_leaves_half_a_byte(n: int):
    packed = np.array([0x98, 0x7F, 0x01], dtype=np.uint8)[: (n + 1) // 2]
    assert unpack_int4(packed, n).tolist() == [-8, -7, -1, 7, 1][:n]


def change_plan(row: int, bits: int, n_groups: int) -> Callable[[dict[str, np.ndarray]], None]:
    return lambda arrays: arrays["plan"].__setitem__(row, (bits, n_groups))


BAD: list[tuple[Callable[[dict[str, np.ndarray]], Any], str]] = [
    (lambda a: a.update(plan=a["plan"][:-1]), r"plan has the shape \(18, 2\), \(19, 2\) is wanted"),
    (lambda a: a.update(plan=a["plan"].astype("i8")), "plan is int64, int32 is wanted"),
    (change_plan(0, 5, 0), "plan gives lstm.weight_ih 5 bits, 4, 8, 16 or 32 are wanted"),
    (change_plan(1, 4, -1), "plan gives lstm.weight_hh -1 groups, 0 to"),
    (change_plan(1, 4, 999), "plan gives lstm.weight_hh 999 groups, 0 to"),
    (change_plan(2, 32, 0), "float32 holds .* numbers, the plan needs at least"),
    (lambda a: a.pop("int4"), "the model lacks int4, which lstm.weight_hh needs"),
    (lambda a: a.pop("scale"), "the model lacks scale, which"),
    (lambda a: a.update(scale=a["scale"][:-1]), "scale holds .* the plan needs at least"),
    (lambda a: a.update(int8=np.append(a["int8"], np.int8(0))), "int8 holds .*, the plan needs"),
    (lambda a: a.update(int4=a["int4"].astype(np.int8)), "int4 is int8, uint8 is wanted"),
    (lambda a: a.update(int4=a["int4"][None]), r"int4 has the shape \(1, .*one axis is wanted"),
    (lambda a: a["scale"].__setitem__(3, np.inf), "scale holds numbers that are not finite"),
    (lambda a: a["float16"].__setitem__(3, np.nan), "float16 holds numbers that are not finite"),
    (lambda a: a.update(code=np.zeros(1)), "unknown arrays: code"),
]


@pytest.mark.parametrize(("spoil", "match"), BAD)
def test_refused_files(spoil: Callable[[dict[str, np.ndarray]], Any], match: str):
    content, _ = packed_file(spoil)
    with pytest.raises(ArtifactError, match=match):
        read_weights(content, TINY)
