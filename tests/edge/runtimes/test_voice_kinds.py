"""A model that takes a reference for the voice hears the same voice in every runtime."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from model_kinds import KINDS, export_kind
from runtime_fakes import voice

from edge.features.voice_reference import VoiceReference
from edge.runtimes.open import open_model
from edge.stream.classifier import Classifier

CENTRE = (-200.0, *[1.0] * 12, 5.0, -30.0, *[0.0] * 19)
REFERENCE = VoiceReference(CENTRE, prior_s=5.0, least_s=2.0, most_s=120.0)


def posteriors(backend: str, folder: Path, voice_reference: bool = True) -> np.ndarray:
    artifact = export_kind(backend, folder, REFERENCE)
    classifier = Classifier(artifact, open_model(artifact))
    stream = classifier.stream(smooth=False, voice_reference=voice_reference)
    decisions = stream.push(voice(80_000))
    assert bool(decisions[-1].reference_s) == voice_reference
    return np.array([list(d.posterior.values()) for d in decisions if d.posterior])


@pytest.fixture(scope="module")
def of_numpy(tmp_path_factory: pytest.TempPathFactory) -> np.ndarray:
    return posteriors("numpy", tmp_path_factory.mktemp("numpy"))


@pytest.mark.parametrize("backend", KINDS)
def test_a_kind_hears_what_the_others_hear(
    backend: str, of_numpy: np.ndarray, tmp_path: Path
) -> None:
    np.testing.assert_allclose(posteriors(backend, tmp_path), of_numpy, atol=1e-5)


def test_and_the_reference_moves_it(of_numpy: np.ndarray, tmp_path: Path) -> None:
    without = posteriors("numpy", tmp_path, voice_reference=False)
    assert np.abs(without - of_numpy)[-1].max() > 0.01
    assert np.array_equal(without[0], of_numpy[0])
