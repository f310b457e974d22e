"""A file's answer: one function behind the command, Python and the picture."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from runtime_fakes import LABELS, LinearModel, fake_classifier, voice

import edge
from edge.artifact import Artifact
from edge.audio.file import write_wav
from edge.errors import AudioFileError, BackendError, ParameterError
from edge.explain.explain import explain_file
from edge.stream.classifier import Classifier
from edge.stream.posterior import average_posterior

CLIP = voice(70_000)
FILE_KEYS = [
    "type", "path", "state", "label", "posterior", "activation", "n_segments",
    "n_speech_segments", "duration_s", "ms", "warning",
]  # fmt: skip


@pytest.fixture
def speech(tmp_path: Path) -> Path:
    write_wav(tmp_path / "speech.wav", CLIP, 16_000)
    return tmp_path / "speech.wav"


def test_answer_is_the_average_of_what_classify_decides(speech: Path) -> None:
    classifier = fake_classifier()
    answer = classifier.classify_file(speech)
    samples = np.round(CLIP * 32768.0).astype(np.float32) / 32768
    decisions = classifier.classify(samples, 16_000)
    wanted = average_posterior(
        [list(d.posterior.values()) for d in decisions if d.posterior],
        [d.level_db for d in decisions],
        [d.speech for d in decisions],
    )
    assert wanted is not None
    assert list(answer.posterior.values()) == wanted.tolist()
    assert answer.label == LABELS[int(wanted.argmax())]
    assert answer.state == "speech"
    assert answer.n_segments == answer.n_speech_segments == len(decisions) == 11
    assert answer.duration_s == 4.375
    assert answer.warnings == ()
    assert answer.level_db == pytest.approx(np.mean([d.level_db for d in decisions]), abs=0.5)
    assert answer.ms > 0
    assert repr(answer).startswith(f"<FileAnswer '{speech}': {answer.label} ")


def test_json_has_exactly_the_documented_keys(speech: Path) -> None:
    record = json.loads(json.dumps(fake_classifier().classify_file(speech).to_dict()))
    assert list(record) == FILE_KEYS
    assert record["warning"] is None


@pytest.mark.parametrize("level", [0.0, 1e-4])
def test_a_file_in_which_nobody_speaks_is_quiet(level: float, tmp_path: Path) -> None:
    noise = np.random.default_rng(0).normal(0, 1, 70_000).astype(np.float32)
    write_wav(tmp_path / "quiet.wav", level * noise, 16_000)
    classifier = fake_classifier()
    answer = classifier.classify_file(tmp_path / "quiet.wav")
    assert (answer.state, answer.label, answer.posterior) == ("quiet", None, None)
    assert (answer.n_segments, answer.n_speech_segments) == (11, 0)
    assert classifier.model.seen == []
    assert repr(answer).endswith(": quiet, 0 of 11 segments with speech, 4.375 s>")


def test_quiet_around_speech_does_not_count(speech: Path, tmp_path: Path) -> None:
    silence = np.zeros(64_000, np.float32)
    write_wav(tmp_path / "among.wav", np.concatenate((silence, CLIP[:31_744], silence)), 16_000)
    write_wav(tmp_path / "alone.wav", CLIP[:31_744], 16_000)
    classifier = fake_classifier(61, 61)
    among = classifier.classify_file(tmp_path / "among.wav", hop_s=2.0)
    alone = classifier.classify_file(tmp_path / "alone.wav", hop_s=2.0)
    assert among.n_speech_segments < among.n_segments
    assert among.label == alone.label
    assert among.level_db == pytest.approx(alone.level_db, abs=3.0)


def test_settings_are_those_of_classify(speech: Path) -> None:
    classifier = fake_classifier()
    answer = classifier.classify_file(speech, segment_s=0.4, corpus="savee")
    assert classifier.model.corpus == 1
    assert answer.n_segments == len(classifier.classify(CLIP, 16_000, segment_s=0.4))
    with pytest.raises(ParameterError, match="hop_s is 0"):
        classifier.classify_file(speech, hop_s=0)


def test_another_rate_is_resampled_as_a_whole_clip_is(tmp_path: Path) -> None:
    t_s = np.arange(4 * 44_100) / 44_100
    write_wav(tmp_path / "high.wav", 0.3 * np.sin(2 * np.pi * 260 * t_s), 44_100)
    classifier = fake_classifier()
    answer = classifier.classify_file(tmp_path / "high.wav")
    samples, rate = edge.audio.file.read_audio(tmp_path / "high.wav")
    decisions = classifier.classify(samples, rate)
    assert answer.n_segments == len(decisions)
    mean = np.mean([list(d.posterior.values()) for d in decisions], axis=0)
    np.testing.assert_allclose(list(answer.posterior.values()), mean, atol=1e-12)


def test_a_short_file_is_one_sentence_that_names_it(tmp_path: Path) -> None:
    write_wav(tmp_path / "short.wav", CLIP[:1000], 16_000)
    with pytest.raises(AudioFileError, match=r"short\.wav .* has 1000 samples .* 1024 or more"):
        fake_classifier().classify_file(tmp_path / "short.wav")


@pytest.mark.parametrize("path", ["", "none.wav", "a" * 300 + ".wav", "nul\0.wav"])
def test_a_path_that_leads_nowhere_is_one_sentence(path: str) -> None:
    with pytest.raises(AudioFileError, match=r"the path is empty|none\.wav|aaa|nul"):
        fake_classifier().classify_file(path)


def test_a_model_that_fails_names_the_file(speech: Path) -> None:
    class Broken(LinearModel):
        def infer(self, features: np.ndarray, corpus: int) -> np.ndarray:
            raise RuntimeError("out of luck")

    classifier = Classifier(fake_classifier().artifact, Broken())
    with pytest.raises(BackendError, match=r"speech\.wav cannot be classified: .*out of luck"):
        classifier.classify_file(speech)


def test_python_gives_it_in_one_call(speech: Path, tiny_artifact: Artifact) -> None:
    answer = edge.classify_file(speech, artifact_dir=tiny_artifact.path, segment_s=1.0)
    again = edge.load(tiny_artifact.path).classify_file(speech, segment_s=1.0)
    assert answer.posterior == again.posterior
    assert isinstance(answer, edge.FileAnswer)


def test_the_picture_has_the_answer_of_the_file(speech: Path, tiny_artifact: Artifact) -> None:
    classifier = edge.load(tiny_artifact.path)
    answer, explanation = explain_file(classifier, speech)
    wanted = classifier.classify_file(speech)
    assert answer.posterior == wanted.posterior
    assert answer.n_segments == wanted.n_segments == len(explanation.decisions)
    assert list(answer.posterior.values()) == explanation.posterior.tolist()


def test_more_than_minutes_are_not_drawn(tmp_path: Path, tiny_artifact: Artifact) -> None:
    write_wav(tmp_path / "long.wav", np.zeros(301 * 4000, np.float32), 4000)
    with pytest.raises(AudioFileError, match=r"long\.wav .*more than 300 s cannot be explained"):
        explain_file(edge.load(tiny_artifact.path), tmp_path / "long.wav")


def test_what_its_header_says_wrong_is_in_the_answer(tmp_path: Path) -> None:
    write_wav(tmp_path / "cut.wav", CLIP, 16_000)
    (tmp_path / "cut.wav").write_bytes((tmp_path / "cut.wav").read_bytes()[:-2001])
    answer = fake_classifier().classify_file(tmp_path / "cut.wav")
    (sentence,) = answer.warnings
    assert "(2001 bytes are missing)" in sentence
    assert answer.to_dict()["warning"] == sentence
