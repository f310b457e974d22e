"""What no function of the public interface is meant for: one typed sentence each."""

from __future__ import annotations

import decimal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import edge
from edge.arrays import as_number, as_samples, as_whole
from edge.artifact import Artifact, Manifest, read_artifact, write_artifact
from edge.audio.file import read_audio, write_wav
from edge.audio.find import find_audio_files
from edge.audio.resample import Resampler, resample
from edge.errors import AudioFileError, EdgeSerError, ParameterError, shown
from edge.files import as_path
from edge.sources.file import FileSource
from edge.stream.smoothing import SmootherSettings
from edge.stream.speech_gate import GateSettings

NO_NUMBERS = [
    "1", b"1", None, True, [1.0], {}, set(), 1j, np.array([1.0, 2.0]), np.zeros(0), object(), len,
    decimal.Decimal(1), np.timedelta64(1, "s"), float("nan"), np.float32("nan"), 10**400,
    -(10**400),
]  # fmt: skip
NO_PATHS = [1, 1.5, [], ["x"], {}, np.zeros(3), np.float64(1), object(), len, ""]
NO_ARRAYS = ["x", b"x", None, {}, object(), [[1.0], []], ["x", 1.0], np.array(["x"]), 1j, "\ud800"]

CLIP = np.zeros(2048, np.float32)


def ids(values: list[Any]) -> list[str]:
    return [f"{type(value).__name__}-{n}" for n, value in enumerate(values)]


@pytest.fixture(scope="module")
def classifier(tiny_artifact: Artifact) -> edge.Classifier:
    return edge.load(tiny_artifact.path)


@pytest.mark.parametrize("value", NO_NUMBERS, ids=ids(NO_NUMBERS))
def test_what_is_no_number(classifier: edge.Classifier, value: Any) -> None:
    calls: list[tuple[str, Callable[[], object]]] = [
        ("segment_s", lambda: value is not None and classifier.stream(segment_s=value)),
        ("hop_s", lambda: value is not None and classifier.stream(hop_s=value)),
        ("segment_s", lambda: classifier.classify(CLIP, 16_000, segment_s=value)),
        ("sample_rate", lambda: classifier.classify(CLIP, value)),
        ("arrived_s", lambda: value is not None and classifier.stream().push(CLIP, value)),
        ("n_samples", lambda: classifier.stream().skip(value)),
        ("lead", lambda: SmootherSettings(lead=value)),
        ("time_constant_s", lambda: SmootherSettings(time_constant_s=value)),
        ("floor_db", lambda: GateSettings(floor_db=value)),
        ("loudest_share", lambda: GateSettings(loudest_share=value)),
        ("min_s", lambda: edge.EventSettings(min_s=value)),
        ("merge_s", lambda: edge.EventSettings(merge_s=value)),
        ("src", lambda: Resampler(value, 16_000)),
        ("dst", lambda: resample(CLIP, 16_000, value)),
        ("sample_rate", lambda: write_wav("never.wav", CLIP, value)),
        ("n_samples", lambda: edge.FeatureSpec().n_frames(value)),
        ("n_frames", lambda: edge.FeatureSpec().n_samples(value)),
    ]
    for name, call in calls:
        if value is None and name in ("segment_s", "hop_s", "arrived_s"):
            continue
        with pytest.raises(ParameterError, match=rf"^{name} is .* wanted"):
            call()


@pytest.mark.parametrize("value", [1.7e308, -1.7e308, np.float64(1e300), 10**300])
def test_a_time_that_leaves_no_latency(classifier: edge.Classifier, value: float) -> None:
    with pytest.raises(ParameterError, match=r"^arrived_s is .* wanted"):
        classifier.stream().push(CLIP, value)


def test_one_that_is_no_path_ends_the_search_at_once() -> None:
    taken: list[int] = []

    def numbers() -> Iterator[Any]:
        for n in range(100_000):
            taken.append(n)
            yield n

    with pytest.raises(ParameterError, match="path is 0, the name of a file or folder"):
        find_audio_files(numbers())
    assert taken == [0]


@pytest.mark.parametrize("path", NO_PATHS, ids=ids(NO_PATHS))
def test_what_is_no_path(classifier: edge.Classifier, path: Any) -> None:
    calls: list[Callable[[], object]] = [
        lambda: edge.load(path),
        lambda: edge.classify_file(path),
        lambda: classifier.classify_file(path),
        lambda: read_audio(path),
        lambda: read_artifact(path),
        lambda: write_artifact(path, {}, b""),
        lambda: write_wav(path, CLIP, 16_000),
        lambda: FileSource(path, 16_000),
        lambda: find_audio_files([path]),
    ]
    for call in calls:
        with pytest.raises(EdgeSerError, match="wanted"):
            call()


@pytest.mark.parametrize("samples", NO_ARRAYS, ids=ids(NO_ARRAYS))
def test_what_is_no_sound(classifier: edge.Classifier, samples: Any) -> None:
    calls: list[Callable[[], object]] = [
        lambda: classifier.classify(samples, 16_000),
        lambda: classifier.stream().push(samples),
        lambda: edge.FeatureExtractor().extract(samples),
        lambda: resample(samples, 8000, 16_000),
        lambda: write_wav("never.wav", samples, 16_000),
    ]
    for call in calls:
        with pytest.raises(ParameterError, match=r"wanted|no array of numbers"):
            call()


def test_what_is_no_setting(classifier: edge.Classifier, tmp_path: Path) -> None:
    calls: list[Callable[[], object]] = [
        lambda: classifier.stream(smooth="yes"),  # type: ignore[arg-type]
        lambda: classifier.stream(smooth=np.zeros(0)),  # type: ignore[arg-type]
        lambda: classifier.stream(gate=[1]),  # type: ignore[arg-type]
        lambda: classifier.stream(corpus=np.zeros(2)),  # type: ignore[arg-type]
        lambda: edge.listen("demo", [], classifier=classifier, fast=True, events=1.0),  # type: ignore[arg-type]
        lambda: edge.listen("demo", [], classifier=classifier, fast=True, taps=1),  # type: ignore[arg-type]
        lambda: edge.listen("demo", [], classifier=classifier, fast=True, taps=[1]),  # type: ignore[list-item]
        lambda: edge.load(None, ["numpy"]),  # type: ignore[arg-type]
        lambda: edge.FeatureExtractor("spec"),  # type: ignore[arg-type]
        lambda: find_audio_files(3),  # type: ignore[arg-type]
        lambda: find_audio_files(np.array(0.5)),  # type: ignore[arg-type]
        lambda: write_artifact(tmp_path / "a", [], b""),  # type: ignore[arg-type]
        lambda: write_artifact(tmp_path / "a", {}, "text"),  # type: ignore[arg-type]
    ]
    for call in calls:
        with pytest.raises(ParameterError, match=r"wanted|this model knows"):
            call()


def test_not_finite_sound_is_not_resampled() -> None:
    for value in (np.nan, np.inf, 3e38):
        with pytest.raises(ParameterError, match="holds"):
            resample(np.array([0.0, value], np.float32), 44_100, 16_000)


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    for name in ("nowhere/x.wav", "a" * 300 + ".wav", "x\0.wav"):
        with pytest.raises(AudioFileError, match="cannot be written"):
            write_wav(tmp_path / name, CLIP, 16_000)


def test_a_name_of_300_letters_is_one_sentence(tmp_path: Path) -> None:
    long = tmp_path / ("a" * 300)
    assert find_audio_files([long]) == [long]
    for read in (read_audio, read_artifact, edge.load, edge.classify_file):
        with pytest.raises(EdgeSerError, match=r"a{300}"):
            read(long)


def test_numbers_of_numpy_are_numbers(classifier: edge.Classifier) -> None:
    stream = classifier.stream(np.float32(1.0), np.float64(0.5))
    wanted = classifier.stream(1.0, 0.5)
    assert (stream.segment_s, stream.hop_s) == (wanted.segment_s, wanted.hop_s)
    # Of Python's kind from here on, so that what is made of them can be written as JSON.
    assert type(SmootherSettings(lead=np.float32(0.25)).lead) is float
    assert type(GateSettings(floor_db=np.int64(-60)).floor_db) is float
    assert as_number(np.int8(3), "n", "", 0, 4) == 3.0
    assert as_whole(np.uint8(3), "n", "", 0, 4) == 3


def test_checks_keep_their_bounds() -> None:
    assert as_number(0, "n", "", 0.0, 1.0) == 0.0
    assert as_whole(1, "n", "", 1, 1) == 1
    for value in (-0.1, 1.1):
        with pytest.raises(ParameterError, match=r"n is .*, so"):
            as_number(value, "n", "so", 0.0, 1.0)
    for count in (0, 2):
        with pytest.raises(ParameterError, match=f"n is {count}, so"):
            as_whole(count, "n", "so", 1, 1)
    assert as_path(b"x") == as_path(Path("x")) == "x"
    with pytest.raises(ParameterError, match="no array of numbers"):
        as_samples([[1.0], []])


def test_what_was_got_is_shown_in_one_short_line() -> None:
    class Unwritable:
        def __repr__(self) -> str:
            raise RuntimeError

    assert shown(1.5) == "1.5"
    assert shown(10**6000) == "one int"
    assert shown(Unwritable()) == "one Unwritable"
    assert "\n" not in shown(np.zeros((9, 9)))
    assert len(shown("x" * 1000)) == 60


def test_what_a_wav_file_cannot_hold(tmp_path: Path) -> None:
    path = tmp_path / "x.wav"
    for samples, rate in ((CLIP, 2**32 - 1), (np.zeros((1, 70_000)), 8000), (CLIP + 1j, 8000)):
        with pytest.raises(ParameterError, match=r"sample_rate is|can hold|no array of numbers"):
            write_wav(path, samples, rate)
    assert not path.exists()


def test_a_nul_in_an_artifacts_name_and_arrays_for_settings() -> None:
    with pytest.raises(EdgeSerError):
        edge.load("a\0b")
    for value in (np.zeros(0), np.zeros(2), ["hann"]):
        with pytest.raises(ParameterError, match="window is"):
            edge.FeatureSpec().with_settings(window=value)


def test_an_array_is_no_schema_version() -> None:
    with pytest.raises(EdgeSerError, match="schema_version is"):
        Manifest.from_dict({"schema_version": np.ones(2)})
