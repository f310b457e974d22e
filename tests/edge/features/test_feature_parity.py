"""Our rows against librosa 0.11's, which ``benchmarks/features/parity_signals.py`` recorded."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge import FeatureExtractor, FeatureSpec

FIXTURE = Path(__file__).parents[2] / "parity" / "features.npz"

#: Columns of a group, the project's bar, and what must hold on every machine: a tenth of the
#: bar or less (measured: 1.8e-4 dB, 6e-8, 9e-7 and 8e-6 dB).
GROUPS = {
    "mfcc": (slice(0, 13), 1e-2, 1e-3),
    "rms": (slice(14, 15), 1e-6, 1e-7),
    "chroma": (slice(15, 27), 1e-4, 1e-5),
    "spectral_contrast": (slice(27, 34), 1e-2, 1e-4),
}


@dataclass(frozen=True)
class Clip:
    """One signal, librosa's rows of it, where librosa.yin is sure, and our rows."""

    theirs: np.ndarray
    voiced: np.ndarray
    ours: np.ndarray


@dataclass(frozen=True)
class Parity:
    """The whole file."""

    provenance: dict[str, Any]
    clips: dict[str, Clip]
    n_samples: int


@pytest.fixture(scope="module")
def parity() -> Parity:
    assert FIXTURE.is_file(), (
        f"{FIXTURE} is missing: run python -m benchmarks.features.parity_signals"
    )
    extractor = FeatureExtractor()
    clips, n_samples = {}, 0
    with np.load(FIXTURE, allow_pickle=False) as stored:
        provenance = json.loads(str(stored["provenance"]))
        for name in provenance["signals"]:
            samples = stored[f"{name}.samples"]
            n_samples += samples.size
            clips[name] = Clip(
                theirs=stored[f"{name}.features"],
                voiced=stored[f"{name}.voiced"],
                ours=extractor.extract(samples.astype(np.float32) / np.float32(32768)),
            )
    return Parity(provenance, clips, n_samples)


def test_the_fixture_says_how_it_was_made(parity: Parity) -> None:
    provenance = parity.provenance
    assert provenance["versions"]["librosa"].startswith("0.11.")
    assert {"python", "numpy", "scipy"} < set(provenance["versions"])
    assert isinstance(provenance["seed"], int)
    use = provenance["arguments"]
    assert all(use[name]["center"] is False for name in use if "center" in use[name])
    assert use["power_to_db"]["top_db"] is None
    assert use["feature.chroma_stft"]["tuning"] == 0.0


def test_the_fixture_is_of_the_default_spec(parity: Parity) -> None:
    assert FeatureSpec.from_dict(parity.provenance["feature_spec"]) == FeatureSpec()
    assert parity.provenance["fingerprint"] == FeatureSpec().fingerprint, (
        "the features changed: run python -m benchmarks.features.parity_signals"
    )


def test_the_fixture_is_worth_comparing_with(parity: Parity) -> None:
    assert parity.n_samples / 16_000 >= 6.0
    assert sum(int(clip.voiced.sum()) for clip in parity.clips.values()) >= 100
    assert all(np.isfinite(clip.theirs).all() for clip in parity.clips.values())
    assert FIXTURE.stat().st_size <= 300_000


@pytest.mark.parametrize("group", GROUPS)
def test_rows_equal_librosas(parity: Parity, group: str) -> None:
    columns, bar, wanted = GROUPS[group]
    assert wanted <= bar / 10
    for name, clip in parity.clips.items():
        assert clip.ours.shape == clip.theirs.shape
        worst = np.abs(clip.ours[:, columns] - clip.theirs[:, columns]).max()
        assert worst <= wanted, f"{group} of {name} is {worst} off"


def test_groups_and_pitch_cover_every_column() -> None:
    covered = [13, *(i for columns, _, _ in GROUPS.values() for i in range(34)[columns])]
    assert sorted(covered) == list(range(FeatureSpec().n_features))


def test_pitch_equals_librosas_where_it_found_a_voice(parity: Parity) -> None:
    theirs = np.concatenate([clip.theirs[clip.voiced, 13] for clip in parity.clips.values()])
    ours = np.concatenate([clip.ours[clip.voiced, 13] for clip in parity.clips.values()])
    agree = np.abs(ours - theirs) <= 0.005 * theirs
    assert agree.mean() >= 0.99, (ours[~agree], theirs[~agree])


@pytest.mark.parametrize("name", ["whisper", "silence_and_clicks"])
def test_pitch_is_zero_where_nothing_is_voiced(parity: Parity, name: str) -> None:
    assert not parity.clips[name].ours[:, 13].any()
