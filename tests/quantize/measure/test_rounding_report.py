"""What a report says was lost is what was lost."""

from __future__ import annotations

import math

import numpy as np
import pytest
from export_fakes import SIZES, facts, random_model

from edge.artifact import read_artifact
from edge.models.claf_ser.weights import fold_output
from quantize.data.features.segments import SegmentSet
from quantize.export import KINDS, Kind, export_artifact
from quantize.export.numpy import round_weights, weights_of
from quantize.export.rounding.load import load_rounding_recipe
from quantize.measure.rounding_loss.gates import DIRECTIONS, GATES, STEPS, gate_errors
from quantize.measure.rounding_loss.read_back import WEIGHTS, read_back, sqnr_db
from quantize.measure.rounding_loss.report import layer_report


def rows(n: int = 6, n_frames: int = 20) -> np.ndarray:
    return np.random.default_rng(5).standard_normal((n, n_frames, 34)).astype(np.float32)


def segments(n: int = 6) -> SegmentSet:
    return SegmentSet(rows(n), ("tess",) * n, ("tess/OAF",) * n, ("sad",) * n)


def test_sqnr_of_a_known_case():
    weight = np.array([3, 4], dtype=np.float32)
    assert sqnr_db(weight, np.array([3, 4.5], dtype=np.float32)) == pytest.approx(20.0)
    assert sqnr_db(weight, weight) == math.inf
    assert sqnr_db(np.zeros(2, dtype=np.float32), weight) == -math.inf


def test_identical_weights_have_no_gate_error():
    weights = weights_of(random_model(SIZES["odd"]))
    found = gate_errors(weights, dict(weights), rows(), steps=(1, 8, 20, 61))
    assert [(e.direction, e.gate, e.step) for e in found] == [
        (direction, gate, step) for direction in DIRECTIONS for gate in GATES for step in (1, 8, 20)
    ]
    assert all(e.rms_error == e.share == 0 for e in found)


def test_one_changed_weight_shows_in_its_gate_first():
    weights = weights_of(random_model(SIZES["odd"]))
    changed = weights["lstm.weight_ih"].copy()
    changed[1, 5 + 2] += 0.5  # a unit of the backward forget gate
    found = {
        (e.direction, e.gate, e.step): e.rms_error
        for e in gate_errors(weights, {"lstm.weight_ih": changed}, rows(), steps=(1, 4))
    }
    assert all(error == 0 for key, error in found.items() if key[0] == "forward")
    at_once = {gate: found["backward", gate, 1] for gate in GATES}
    assert at_once.pop("f") > 0
    assert set(at_once.values()) == {0}
    # By its state it reaches every other gate.
    assert all(found["backward", gate, 4] > 0 for gate in GATES)
    # The backward direction begins with the last row: 34 times 0.5 times the row.
    wanted = np.sqrt(np.mean((0.5 * rows()[:, -1].sum(axis=1)) ** 2) / 5)
    assert found["backward", "f", 1] == pytest.approx(wanted, rel=1e-4)


@pytest.mark.parametrize("size", ["odd", "small", "stacked"])
@pytest.mark.parametrize("kind", ["numpy-fp32", "onnx-fp32"])
def test_float_weights_come_back_exactly(tmp_path, size, kind):
    model = random_model(SIZES[size])
    found = read_back(export_artifact(kind, model, facts(), tmp_path))
    wanted = weights_of(model)
    if kind == "onnx-fp32":
        fc1, _, language = fold_output(wanted)
        del wanted["attention.output.weight"]
        wanted |= {"fc1.weight": fc1, "language.weight": language}
    assert list(found) == [name for name in WEIGHTS if name in wanted]
    for name, weight in found.items():
        np.testing.assert_allclose(weight, wanted[name], rtol=1e-6)


@pytest.mark.parametrize(
    ("recipe", "changes", "least"),
    [
        ("numpy_weight_only_wi8", {}, 38),
        ("numpy_weight_only_wi4", {}, 18),
        ("onnx_fp16", {}, 65),
        ("onnx_dynamic_wi8", {}, 35),
        ("onnx_dynamic_wi8", {"granularity": "per_tensor"}, 28),
        ("onnx_dynamic_wi8", {"float_layers": ["lstm", "attention.output", "fc2"]}, 35),
        ("onnx_static_wi8ai8", {}, 35),
        ("onnx_static_wi8ai8", {"granularity": "per_tensor", "float_layers": ["fc1"]}, 28),
    ],
)
def test_layers_lose_little_and_kept_ones_nothing(tmp_path, recipe, changes, least):
    model = random_model(SIZES["small"])
    how = load_rounding_recipe(recipe).changed(**changes)
    kind = Kind.of(how)
    artifact = export_artifact(kind, model, facts(), tmp_path, segments())
    layers, gates = layer_report(model, artifact, rows())
    names = [name.removesuffix(".weight") for name in WEIGHTS]
    if how.backend == "onnx":
        names.remove("attention.output")
    assert [each["layer"] for each in layers] == names
    for each in layers:
        of_output = how.backend == "onnx" and each["layer"] == "fc1"
        if how.is_float(each["layer"]) or (of_output and how.is_float("attention.output")):
            # The scores' factor is multiplied in and divided out again.
            assert each["sqnr_db"] is None or each["sqnr_db"] > 140, each
        else:
            assert least < each["sqnr_db"] < 100, each
    lstm_is_float = how.is_float("lstm.weight_hh")
    assert len(gates) == 2 * 4 * 3
    assert all((each["share"] == 0) == lstm_is_float for each in gates)
    assert max(each["share"] for each in gates) < 0.3


def test_gates_of_a_model_that_stacks_frames(tmp_path):
    model = random_model(SIZES["stacked"])
    artifact = export_artifact("numpy-int8", model, facts(), tmp_path)
    gates = layer_report(model, artifact, rows(n_frames=61))[1]
    # 61 frames are 21 steps.
    assert {each["step"] for each in gates} == {s for s in STEPS if s <= 21}
    assert all(0 < each["share"] < 0.1 for each in gates)


def test_numpy_weights_come_back_as_they_were_rounded(tmp_path):
    model = random_model(SIZES["odd"])
    found = read_back(export_artifact("numpy-int4", model, facts(), tmp_path))
    rounded = round_weights(weights_of(model), KINDS["numpy-int4"].recipe)
    for name, each in rounded.items():
        assert np.array_equal(found[name], each.values().reshape(found[name].shape))


@pytest.mark.parametrize("size", ["odd", "stacked"])
def test_calibration_data_are_named_in_the_manifest(tmp_path, size):
    kind = Kind.of(load_rounding_recipe("numpy_compensated_wi4"))
    given = segments()
    export_artifact(kind, random_model(SIZES[size]), facts(), tmp_path, given)
    quantization = read_artifact(tmp_path).manifest.quantization
    assert quantization.calibration_fingerprint == given.fingerprint
    assert quantization.recipe == "numpy_compensated_wi4"
    assert quantization.granularity == "per_group_32"
