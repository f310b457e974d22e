"""Rounded weights are near, and come out of the file as they went in."""

from __future__ import annotations

import dataclasses
import io

import numpy as np
import pytest
import torch
from export_fakes import SIZES, random_model

from edge.errors import ParameterError
from edge.models.claf_ser import ClafSerSizes
from edge.models.claf_ser.weights import weight_shapes
from edge.runtimes.numpy.packed import group_size, unpack_int4
from edge.runtimes.numpy.weights import read_weights
from quantize.export.numpy import (
    model_of,
    pack_int4,
    pack_rounded,
    pack_weights,
    round_weights,
    weights_of,
)
from quantize.export.rounding.codes import round_compensated, round_nearest
from quantize.export.rounding.load import load_rounding_recipe
from quantize.export.rounding.moments import input_moments


def drawn(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def architecture(size: str) -> ClafSerSizes:
    config = SIZES[size]
    fields = {f.name: getattr(config, f.name, None) for f in dataclasses.fields(ClafSerSizes)}
    return ClafSerSizes(**{**fields, "type": "claf-ser", "n_corpora": config.n_domains + 1})


@pytest.mark.parametrize("n", [0, 1, 2, 7, 16])
def test_int4_goes_in_and_out(n: int):
    whole = np.random.default_rng(n).integers(-8, 8, n).astype(np.int8)
    packed = pack_int4(whole)
    assert packed.dtype == np.uint8
    assert len(packed) == (n + 1) // 2
    assert np.array_equal(unpack_int4(packed, n), whole)


def test_an_int8_factor_reaches_the_largest_weight():
    weight = np.random.default_rng(0).standard_normal((200, 9)).astype(np.float32)
    scale = round_nearest(weight, 8, "per_output_channel").scale.astype(np.float64)
    # Of factors that are rounded to float16, half would be too small: those weights were clipped.
    assert (127 * scale[:, 0] >= np.abs(weight).max(axis=1)).all()


def test_every_int4_number_is_its_own():
    whole = np.arange(-8, 8, dtype=np.int8)
    assert unpack_int4(pack_int4(whole), 16).tolist() == list(range(-8, 8))
    assert pack_int4(np.array([1, -1], dtype=np.int8)).tolist() == [0xF1]


def test_int8_rounds_within_half_a_step():
    weight = drawn(10, 7)
    weight[0] = 0
    found = round_nearest(weight, 8, "per_output_channel")
    assert found.scale.shape == (10, 1)
    error = np.abs(found.values() - weight)
    assert (error <= found.scale.astype(np.float32) * 0.501).all()
    assert np.abs(found.whole).max(axis=1).tolist() == [0] + [127] * 9


@pytest.mark.parametrize(("n_inputs", "size", "n_groups"), [(34, 17, 2), (5, 5, 1), (70, 24, 3)])
def test_groups_are_even(n_inputs: int, size: int, n_groups: int):
    found = round_nearest(drawn(3, n_inputs), 4, "per_group", 32)
    assert found.n_groups == n_groups
    assert found.scale.shape == (3, n_groups)
    assert group_size(n_inputs, n_groups) == size


def test_smaller_groups_lose_less():
    weight = drawn(20, 96)

    def loss(granularity: str, group: int = 0) -> float:
        found = round_nearest(weight, 4, granularity, group)
        return float(np.square(found.values() - weight).sum())

    assert loss("per_group", 8) < loss("per_group", 32) < loss("per_output_channel")
    assert loss("per_output_channel") < loss("per_tensor")


def test_clipping_and_the_free_sign_lose_less_than_reaching_the_largest():
    weight = drawn(40, 32)
    found = round_nearest(weight, 4, "per_output_channel")
    scale = np.abs(weight).max(axis=1, keepdims=True) / 7
    plain = np.rint(weight / scale) * scale
    assert np.square(found.values() - weight).sum() < 0.8 * np.square(plain - weight).sum()
    assert found.whole.min() == -8
    assert found.whole.max() == 7


def test_compensation_keeps_what_the_layer_computes():
    inputs = drawn(400, 30) @ drawn(30, 30, seed=1)
    weight = drawn(12, 30, seed=2)
    moments = (inputs.T @ inputs / len(inputs)).astype(np.float32)

    def loss(values: np.ndarray) -> float:
        return float(np.square(inputs @ (values - weight).T).sum())

    plain = loss(round_nearest(weight, 4, "per_group", 16).values())
    assert loss(round_compensated(weight, 4, "per_group", 16, moments).values()) < 0.7 * plain


def test_compensation_without_any_input_is_plain_rounding():
    weight = drawn(4, 9)
    moments = np.zeros((9, 9), dtype=np.float32)
    found = round_compensated(weight, 4, "per_group", 4, moments)
    assert np.array_equal(found.whole, round_nearest(weight, 4, "per_group", 4).whole)


def test_weights_too_large_for_a_factor():
    with pytest.raises(ParameterError, match="too large to be rounded"):
        round_nearest(np.full((1, 4), 1e8, dtype=np.float32), 8, "per_tensor")


@pytest.mark.parametrize("size", ["odd", "small", "stacked"])
def test_a_model_comes_back_from_its_weights(size: str):
    model = random_model(SIZES[size])
    again = model_of(weights_of(model), SIZES[size].n_heads, SIZES[size].frame_stack)
    features = torch.from_numpy(drawn(3, 19, 34))
    with torch.inference_mode():
        wanted, found = (m(features, torch.tensor([0, 2, 4])).logits for m in (model, again))
    torch.testing.assert_close(found, wanted, atol=1e-5, rtol=0)


@pytest.mark.parametrize("size", ["odd", "small"])
@pytest.mark.parametrize("granularity", ["per_tensor", "per_output_channel", "per_group"])
@pytest.mark.parametrize("name", ["numpy_weight_only_wi8", "numpy_weight_only_wi4"])
def test_the_device_reads_what_was_rounded(size: str, granularity: str, name: str):
    weights = weights_of(random_model(SIZES[size]))
    recipe = load_rounding_recipe(name).changed(granularity=granularity, float_layers=["fc1"])
    read = read_weights(pack_rounded(weights, recipe), architecture(size))
    rounded = round_weights(weights, recipe)
    assert "fc1.weight" not in rounded
    for key, weight in weights.items():
        wanted = weight
        if key in rounded:
            wanted = rounded[key].values().reshape(weight.shape)
        elif key != "fc1.weight":
            wanted = weight.astype(np.float16).astype(np.float32)
        assert np.array_equal(read[key], wanted), key


def test_float32_is_kept_to_the_last_bit():
    weights = weights_of(random_model(SIZES["odd"]))
    assert list(weights) == list(weight_shapes(architecture("odd")))
    read = read_weights(pack_weights(weights), architecture("odd"))
    assert all(np.array_equal(read[name], weight) for name, weight in weights.items())


def test_the_file_holds_few_arrays_and_no_pickle():
    weights = weights_of(random_model(SIZES["small"]))
    content = pack_rounded(weights, load_rounding_recipe("numpy_weight_only_wi4"))
    with np.load(io.BytesIO(content), allow_pickle=False) as stored:
        assert set(stored.files) == {"plan", "float16", "int8", "int4", "scale"}
        n_bytes = sum(stored[name].nbytes for name in stored.files)
    assert len(content) < n_bytes + 1_700


def test_moments_are_those_of_the_inputs():
    model = random_model(SIZES["small"])
    rows = drawn(70, 9, 34)
    found = input_moments(model, rows)
    flat = rows.reshape(-1, 34)
    np.testing.assert_allclose(
        found["lstm.weight_ih"][0], flat.T @ flat / len(flat), rtol=1e-3, atol=1e-4
    )
    weights = weights_of(model)
    for name, moments in found.items():
        n_inputs = weights[name].shape[-1]
        assert moments.shape[1:] == (n_inputs, n_inputs)
    assert len(found["lstm.weight_hh"]) == len(found["attention.value.weight"]) == 2
    # What reaches the last layer was squashed by a ReLU: nothing is negative.
    assert found["fc2.weight"].min() >= 0
    compensated = load_rounding_recipe("numpy_compensated_wi4")
    assert pack_rounded(weights, compensated, found) != pack_rounded(weights, compensated)
