"""Cutting models smaller: exact where what goes was dead, consistent, and refused otherwise."""

from __future__ import annotations

import json

import pytest
import torch
from export_fakes import SIZES, facts, random_model

from edge.errors import ParameterError
from quantize.export import export_artifact
from quantize.export.twin import ExportTwin
from quantize.models.claf_ser import CLAFSER, ClafSerConfig
from quantize.prune.cut import factors, prune_model
from quantize.prune.importance import Importance, kept_units, magnitude
from quantize.prune.sensitivity import STRUCTURES, weakened
from quantize.prune.sizes import config_for_share, n_exported, pruned_config

NAMES = ("default", "small", "stacked")


def importance_without(model: CLAFSER, **dead: torch.Tensor) -> Importance:
    """All units score 1, those named 0."""
    c = model.config
    scores = {
        "lstm": torch.ones(2, c.hidden),
        "heads": torch.ones(c.n_heads),
        "conv": torch.ones(c.conv_channels),
        "classifier": torch.ones(c.classifier),
    }
    for name, places in dead.items():
        if name == "lstm":
            for direction in (0, 1):
                scores[name][direction, places[direction]] = 0.0
        else:
            scores[name][places] = 0.0
    return Importance(**scores)


def rows(model: CLAFSER, n: int = 5) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(n, 23, model.config.n_features, generator=generator)
    return x, torch.arange(n) % (model.config.n_domains + 1)


def assert_same(model: CLAFSER, pruned: CLAFSER) -> None:
    x, languages = rows(model)
    with torch.no_grad():
        before, after = model(x, languages), pruned(x, languages)
        alone = ExportTwin(pruned)(x, languages)
    assert before.logits.std() > 0.1
    torch.testing.assert_close(after.logits, before.logits, atol=2e-4, rtol=1e-4)
    torch.testing.assert_close(alone, before.logits, atol=2e-4, rtol=1e-4)


def kill_lstm(model: CLAFSER, n_dead: int) -> torch.Tensor:
    """Silence units of both directions to all that reads them."""
    hidden = model.config.hidden
    dead = torch.stack([torch.randperm(hidden)[:n_dead] for _ in range(2)])
    for direction, suffix in enumerate(("", "_reverse")):
        model.attention.in_proj_weight[:, direction * hidden + dead[direction]] = 0.0
        getattr(model.lstm, f"weight_hh_l0{suffix}")[:, dead[direction]] = 0.0
    return dead


def narrow(model: CLAFSER, width: int, n_heads: int) -> None:
    """Leave so few dimensions alive that the attention's shrunk width holds them all."""
    c = model.config
    per_head, alive = 2 * c.hidden // c.n_heads, width // n_heads
    attention = model.attention
    for part in attention.in_proj_weight.chunk(3):
        for head in range(c.n_heads):
            part[head * per_head + alive : (head + 1) * per_head] = 0.0
    for part in attention.in_proj_bias.chunk(3):
        part.normal_()
    queries = attention.in_proj_bias[: 2 * c.hidden].view(c.n_heads, per_head)
    queries[:, alive:] = 0.0
    model.fc1.weight[:, width : 2 * c.hidden] = 0.0


@pytest.mark.parametrize("name", NAMES)
def test_dead_lstm_units_go_without_a_trace(name):
    model = random_model(SIZES[name])
    c = model.config
    hidden = 3 * c.hidden // 4
    with torch.no_grad():
        dead = kill_lstm(model, c.hidden - hidden)
        narrow(model, 2 * hidden, c.n_heads)
    pruned = prune_model(
        model, pruned_config(c, hidden=hidden), importance_without(model, lstm=dead)
    )
    assert pruned.config == c.replaced(hidden=hidden)
    assert pruned.n_parameters() == n_exported(pruned.config) < model.n_parameters()
    assert_same(model, pruned)


def test_the_output_loses_nothing_while_the_classifier_has_fewer_units():
    # 48 units in fc1, 64 in the domain branch, 80 dimensions left of 128: no weight is dead.
    model = random_model(ClafSerConfig(hidden=64, n_heads=2, classifier=48))
    with torch.no_grad():
        dead = kill_lstm(model, 24)
        whole = model.fc1.weight.clone()
        narrow(model, 80, 2)
        model.fc1.weight.copy_(whole)
    pruned = prune_model(
        model, pruned_config(model.config, hidden=40), importance_without(model, lstm=dead)
    )
    assert_same(model, pruned)


@pytest.mark.parametrize("name", NAMES)
def test_dead_heads_go_and_the_others_get_their_dimensions(name):
    model = random_model(SIZES[name])
    c = model.config
    n_heads = c.n_heads // 2
    dead = torch.arange(0, c.n_heads, 2)
    per_head = 2 * c.hidden // c.n_heads
    with torch.no_grad():
        model.attention.in_proj_bias.normal_()
        for head in dead:
            model.attention.out_proj.weight[:, head * per_head : (head + 1) * per_head] = 0.0
    pruned = prune_model(
        model, pruned_config(c, n_heads=n_heads), importance_without(model, heads=dead)
    )
    assert pruned.config.n_heads == n_heads
    assert_same(model, pruned)
    # What was padded can be learned: no dimension is zero on both sides.
    query, key, value = pruned.attention.in_proj_weight.chunk(3)
    out = pruned.attention.out_proj.weight
    assert (query.norm(dim=1) + key.norm(dim=1) > 1e-3).all()
    assert (value.norm(dim=1) + out.norm(dim=0) > 1e-3).all()


@pytest.mark.parametrize("name", NAMES)
def test_dead_channels_and_classifier_units_go_without_a_trace(name):
    model = random_model(SIZES[name])
    c = model.config
    channels = torch.arange(1, c.conv_channels, 2)
    units = torch.arange(0, c.classifier, 3)
    alive = torch.tensor([i for i in range(c.classifier) if i not in units])
    with torch.no_grad():
        model.fc1.weight[:, 2 * c.hidden + channels] = 0.0
        # The layer norm reads a unit too, unless it is the mean of the others.
        model.fc1.weight[units] = model.fc1.weight[alive].mean(dim=0)
        model.fc1.bias[units] = model.fc1.bias[alive].mean()
        model.fc2.weight[:, units] = 0.0
    config = pruned_config(
        c, conv_channels=c.conv_channels - len(channels), classifier=c.classifier - len(units)
    )
    pruned = prune_model(model, config, importance_without(model, conv=channels, classifier=units))
    assert pruned.config == config
    assert_same(model, pruned)


def test_what_is_not_pruned_keeps_its_weights():
    model = random_model(SIZES["small"])
    same = prune_model(model, model.config, magnitude(model))
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, same.state_dict()[name]), name
    fewer = prune_model(model, pruned_config(model.config, conv_channels=3), magnitude(model))
    assert torch.equal(fewer.lstm.weight_hh_l0, model.lstm.weight_hh_l0)
    assert torch.equal(fewer.fc2.weight, model.fc2.weight)


def test_a_smaller_head_is_the_nearest_one_of_its_size():
    torch.manual_seed(0)
    product = torch.randn(9, 7, dtype=torch.float64)
    left, right = factors(product, 3)
    assert left.shape == (9, 3)
    assert right.shape == (3, 7)
    s = torch.linalg.svdvals(product)
    assert float((left @ right - product).norm()) == pytest.approx(float(s[3:].norm()))


def test_a_pruned_model_is_exported_like_any_other(tmp_path):
    model = random_model(SIZES["small"])
    config = pruned_config(model.config, hidden=20, conv_channels=5, classifier=17)
    artifact = export_artifact(
        "numpy-int8", prune_model(model, config, magnitude(model)), facts(), tmp_path / "a"
    )
    assert artifact.manifest.architecture.hidden == 20
    assert (
        json.loads((tmp_path / "a" / "manifest.json").read_text())["architecture"]["classifier"]
        == 17
    )


@pytest.mark.parametrize("structure", STRUCTURES)
def test_the_sweep_changes_a_copy_and_only_what_it_names(structure):
    model = random_model(SIZES["small"])
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    x, languages = rows(model)
    weaker = weakened(model, structure, 1, magnitude(model))
    with torch.no_grad():
        assert not torch.equal(weaker(x, languages).logits, model(x, languages).logits)
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, before[name]), name
    assert torch.equal(weaker.lstm.weight_ih_l0, model.lstm.weight_ih_l0)
    assert weaker.config.hidden == model.config.hidden


@pytest.mark.parametrize("structure", ["query_key", "value", "heads"])
def test_the_sweep_removes_dead_dimensions_without_a_trace(structure):
    model = random_model(SIZES["small"])
    with torch.no_grad():
        narrow(model, 40, 2)
        model.attention.out_proj.weight[:, 32:] = 0.0
    n_removed = 1 if structure == "heads" else 12
    x, languages = rows(model)
    with torch.no_grad():
        weaker = weakened(model, structure, n_removed, magnitude(model))
        torch.testing.assert_close(
            weaker(x, languages).logits, model(x, languages).logits, atol=2e-4, rtol=1e-4
        )


def test_equal_scores_keep_the_first():
    assert kept_units(torch.tensor([1.0, 2.0, 1.0, 1.0]), 2).tolist() == [0, 1]


def test_sizes_for_a_share_keep_within_it_and_go_together():
    config = ClafSerConfig()
    half = config_for_share(config, 0.5)
    assert half == config.replaced(hidden=80)
    assert n_exported(half) <= 0.5 * n_exported(config)
    for share in (0.9, 0.7, 0.3, 0.1):
        smaller = config_for_share(config, share)
        assert n_exported(smaller) <= share * n_exported(config)
        assert 2 * smaller.hidden % smaller.n_heads == 0
    small = config_for_share(SIZES["small"], 0.5)
    assert n_exported(small) <= 0.5 * n_exported(SIZES["small"])


@pytest.mark.parametrize("share", [0.0, 1.0, -1.0, float("nan"), 0.0001])
def test_a_share_that_cannot_be_is_refused(share):
    with pytest.raises(ParameterError, match="the share of the parameters to leave is"):
        config_for_share(ClafSerConfig(), share)


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ({"hidden": 129}, "hidden is 129, 1 to 128 is wanted"),
        ({"classifier": 0}, "classifier is 0"),
        ({"n_heads": 3}, "n_heads 3 does not divide 2 [*] hidden = 256"),
        ({"hidden": 63}, "does not divide"),
        ({"n_labels": 4}, "n_labels cannot be pruned"),
    ],
)
def test_sizes_that_do_not_go_together_are_refused(sizes, message):
    with pytest.raises(ParameterError, match=message):
        pruned_config(ClafSerConfig(), **sizes)


def test_a_model_without_a_part_is_refused():
    model = CLAFSER(ClafSerConfig(hidden=8, n_heads=2, without=("attention",)))
    whole = CLAFSER(ClafSerConfig(hidden=8, n_heads=2))
    with pytest.raises(ParameterError, match="trained without attention"):
        prune_model(model, pruned_config(model.config, hidden=6), magnitude(whole))
