"""Zeros: as many as asked, the smallest, and they pay in a compressed file alone."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from export_fakes import SIZES, random_model
from split_fakes import make_clips

from edge.errors import ParameterError
from edge.features.spec import FeatureSpec
from quantize.data.corpora import DOMAINS, LABELS
from quantize.models.claf_ser import CLAFSER, ClafSerConfig
from quantize.prune.sparse import SPARSE, SparseTrainer, npz_sizes, sparse_model, sparsity_of
from quantize.runs.checkpoint import Checkpoint
from quantize.training.batch_settings import BatchSettings
from quantize.training.settings import TrainSettings


def test_the_smallest_weights_become_zero_and_the_others_stay():
    model = random_model(SIZES["small"])
    sparse = sparse_model(model, 0.6)
    assert sparsity_of(sparse) == pytest.approx(0.6, abs=1e-4)
    assert sparsity_of(model) < 0.01
    for name, tensor in model.state_dict().items():
        found = sparse.state_dict()[name]
        if name not in SPARSE:
            assert torch.equal(found, tensor), name
            continue
        gone = found == 0
        assert torch.equal(found[~gone], tensor[~gone]), name
        assert 0.2 < float(gone.float().mean()) < 0.95, name
        assert tensor[gone].abs().max() <= tensor[~gone].abs().min(), name


def test_zeros_shrink_the_deflated_file_and_not_the_plain_one():
    model = random_model(SIZES["small"])
    plain, deflated = npz_sizes(model)
    sparse_plain, sparse_deflated = npz_sizes(sparse_model(model, 0.8))
    assert sparse_plain == plain
    assert sparse_deflated < 0.6 * deflated < plain


def test_zeros_stay_zeros_while_the_others_are_trained(tmp_path):
    clips = make_clips(["ravdess/01", "savee/DC"])
    rng = np.random.default_rng(0)
    rows = {c.clip_id: rng.random((40, 34), dtype=np.float32) + 0.5 for c in clips}
    sparse = sparse_model(random_model(SIZES["small"]), 0.7)
    mean, std = np.full(34, 1.0, "f4"), np.full(34, 0.3, "f4")
    run = SparseTrainer(
        tmp_path,
        clips,
        [],
        [rows],
        spec=FeatureSpec(),
        config=SIZES["small"],
        settings=TrainSettings(epochs=1, learning_rate=1e-2),
        batches=BatchSettings(batch_size=16),
        about={},
        labels=LABELS,
        domains=DOMAINS,
        start=Checkpoint(sparse, mean, std, FeatureSpec(), {}, LABELS, DOMAINS),
    )
    trained = run.run().model.state_dict()
    for name in SPARSE:
        before = sparse.state_dict()[name]
        assert not trained[name][before == 0].any(), name
        assert (trained[name] != before)[before != 0].any(), name


@pytest.mark.parametrize("sparsity", [0.0, 1.0, -0.5, float("nan")])
def test_an_impossible_sparsity_is_refused(sparsity):
    with pytest.raises(ParameterError, match="sparsity is"):
        sparse_model(random_model(SIZES["small"]), sparsity)


def test_a_model_without_a_part_is_refused():
    model = CLAFSER(ClafSerConfig(hidden=8, n_heads=2, without=("phonetic",)))
    with pytest.raises(ParameterError, match="trained without phonetic"):
        sparse_model(model, 0.5)
