"""A label is said where it is probable enough, out of those that may be."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from runtime_fakes import LABELS, fake_classifier, voice

import edge
from edge.artifact import Abstention, ActivationScale, Artifact
from edge.audio.file import write_wav
from edge.errors import ParameterError
from edge.explain.explain import explain, explain_file
from edge.stream.activation import activation
from edge.stream.answering import Answering
from edge.stream.classifier import Classifier
from edge.stream.decision import Decision
from edge.stream.loading import load
from edge.stream.posterior import renormalised
from edge.stream.smoothing import Smoother, SmootherSettings

CLIP = voice(70_000)


def measured(bar: float, **scale: float) -> Abstention:
    return Abstention(bar, (), "none", "none", "none", ActivationScale(**scale))


def listened(classifier: Classifier, **settings: Any) -> list[Decision]:
    stream = classifier.stream(**settings)
    return stream.push(CLIP) + stream.flush()


def highest(decisions: list[Decision]) -> list[float]:
    return [max(each.posterior.values()) for each in decisions if each.posterior]


def test_below_the_bar_no_label_is_said_and_all_else_is() -> None:
    classifier = fake_classifier()
    plain = listened(classifier, smooth=False)
    bar = float(np.median(highest(plain)))
    barred = listened(classifier, smooth=False, min_probability=bar)
    assert {each.state for each in barred} == {"speech", "uncertain"}
    for before, after in zip(plain, barred, strict=True):
        assert after.posterior == before.posterior
        assert after.raw_label == before.label == before.raw_label
        assert after.activation == before.activation is not None
        assert after.speech
        if max(before.posterior.values()) < bar:
            assert (after.state, after.label) == ("uncertain", None)
        else:
            assert (after.state, after.label) == ("speech", before.label)


@pytest.mark.parametrize("bar", [0.0, 1.0])
def test_a_bar_of_nothing_says_all_and_one_of_certainty_nothing(bar: float) -> None:
    states = {each.state for each in listened(fake_classifier(), min_probability=bar)}
    assert states == {"uncertain" if bar else "speech"}


def test_the_probability_of_the_steady_label_is_held_against_the_bar() -> None:
    classifier = fake_classifier()
    # Nothing takes over from the first label, whatever leads.
    steady = SmootherSettings(time_constant_s=0.0, lead=1.0, persist_s=1e6)
    said = listened(classifier, smooth=steady)
    first = said[0].label
    assert {each.label for each in said} == {first}
    shares = [each.posterior[first] for each in said]
    bar = float(np.median(shares))
    barred = listened(classifier, smooth=steady, min_probability=bar)
    assert [each.label for each in barred] == [first if p >= bar else None for p in shares]
    assert len(set(each.state for each in barred)) == 2


def test_the_bar_is_the_artifact_s_unless_another_is_asked_for() -> None:
    classifier = fake_classifier()
    assert classifier.stream().min_probability == 0.0
    classifier.abstention = measured(0.99)
    assert classifier.stream().min_probability == 0.99
    assert {each.state for each in classifier.classify(CLIP, 16_000)} == {"uncertain"}
    assert classifier.stream(min_probability=0).min_probability == 0.0
    assert {d.state for d in classifier.classify(CLIP, 16_000, min_probability=0)} == {"speech"}


@pytest.mark.parametrize("bar", [-0.1, 1.1, "0.5", True, float("nan")])
def test_a_bar_that_is_no_probability_is_refused(bar: Any) -> None:
    with pytest.raises(ParameterError, match=r"min_probability is .*a probability from 0 to 1"):
        fake_classifier().stream(min_probability=bar)


def test_a_choice_of_labels_shares_the_posterior_out_among_them() -> None:
    classifier = fake_classifier()
    plain = listened(classifier, smooth=False)
    chosen = listened(classifier, smooth=False, labels=("sad", "angry", "calm"))
    for before, after in zip(plain, chosen, strict=True):
        # In the model's order.
        assert list(after.posterior) == ["calm", "sad", "angry"]
        total = sum(before.posterior[label] for label in after.posterior)
        for label, share in after.posterior.items():
            assert share == pytest.approx(before.posterior[label] / total)
        assert after.label == after.raw_label == max(after.posterior, key=after.posterior.get)
        # How aroused somebody is does not hang on what may be said.
        assert after.activation == before.activation


def test_choosing_every_label_changes_nothing() -> None:
    classifier = fake_classifier()
    plain, chosen = listened(classifier), listened(classifier, labels=LABELS)
    for before, after in zip(plain, chosen, strict=True):
        assert after.label == before.label
        np.testing.assert_allclose(
            list(after.posterior.values()), list(before.posterior.values()), rtol=1e-12
        )


def test_smoothed_over_all_labels_and_then_chosen() -> None:
    classifier = fake_classifier()
    plain = listened(classifier)
    chosen = listened(classifier, labels=("happy", "sad"))
    for before, after in zip(plain, chosen, strict=True):
        total = before.posterior["happy"] + before.posterior["sad"]
        assert after.posterior["happy"] == pytest.approx(before.posterior["happy"] / total)
        assert after.activation == before.activation
        assert after.label in ("happy", "sad")


def test_the_bar_is_for_the_probability_among_the_chosen() -> None:
    classifier = fake_classifier()
    # Of two the better has a half or more.
    states = {d.state for d in listened(classifier, smooth=False, labels=("happy", "sad"),
                                        min_probability=0.5)}  # fmt: skip
    assert states == {"speech"}


@pytest.mark.parametrize(
    ("labels", "match"),
    [
        (("happy", "joy"), "labels name 'joy', this model knows neutral, calm, happy, sad, angry"),
        (("happy", "happy", "sad"), "labels name 'happy' twice"),
        (("happy",), "labels are happy alone, two or more are wanted"),
        ((), r"labels are \(\), a list of labels is wanted"),
        ("happy,sad", "labels are 'happy,sad', a list of labels is wanted"),
        ((1, 2), r"labels are \(1, 2\), a list of labels"),
        (7, "labels are 7, a list of labels"),
    ],
)
def test_labels_that_cannot_be_chosen_from_are_refused(labels: Any, match: str) -> None:
    with pytest.raises(ParameterError, match=match):
        fake_classifier().stream(labels=labels)


def test_a_posterior_that_leaves_the_chosen_nothing_is_even() -> None:
    assert renormalised([1.0, 0.0, 0.0], [1, 2]) == [0.5, 0.5]


def test_activation_is_of_the_posterior_that_is_given_and_calibrated() -> None:
    classifier = fake_classifier()
    scale = ActivationScale(0.5, 0.25)
    classifier.abstention = measured(0.0, slope=0.5, offset=0.25)
    decisions = listened(classifier)
    rows = [list(each.posterior.values()) for each in decisions]
    np.testing.assert_allclose(
        [each.activation for each in decisions], activation(rows, LABELS, scale), rtol=1e-12
    )


def test_what_is_too_quiet_has_no_activation() -> None:
    stream = fake_classifier().stream(min_probability=1.0)
    quiet = stream.push(np.zeros(40_000, np.float32))
    assert {(each.state, each.label, each.activation) for each in quiet} == {("quiet", None, None)}


# -- files ---------------------------------------------------------------------------------


def test_a_file_is_uncertain_by_its_mean_posterior(tmp_path: Any) -> None:
    path = tmp_path / "speech.wav"
    write_wav(path, CLIP, 16_000)
    classifier = fake_classifier()
    plain = classifier.classify_file(path)
    top = max(plain.posterior.values())
    said = classifier.classify_file(path, min_probability=top)
    assert (said.state, said.label) == ("speech", plain.label)
    unsaid = classifier.classify_file(path, min_probability=top + 1e-9)
    assert (unsaid.state, unsaid.label) == ("uncertain", None)
    assert unsaid.posterior == plain.posterior
    assert unsaid.activation == plain.activation
    assert unsaid.n_speech_segments == plain.n_speech_segments == 11
    assert plain.activation == pytest.approx(
        float(activation(list(plain.posterior.values()), LABELS))
    )
    assert "uncertain, 11 of 11" in repr(unsaid)


def test_a_file_is_answered_so_without_a_classifier_too(
    tiny_artifact: Artifact, tmp_path: Any
) -> None:
    write_wav(tmp_path / "speech.wav", CLIP, 16_000)
    answer = edge.classify_file(
        tmp_path / "speech.wav",
        artifact_dir=tiny_artifact.path,
        min_probability=1.0,
        labels=["sad", "happy"],
    )
    assert (answer.state, list(answer.posterior)) == ("uncertain", ["happy", "sad"])


def test_a_file_s_choice_is_made_of_its_mean_posterior(tmp_path: Any) -> None:
    path = tmp_path / "speech.wav"
    write_wav(path, CLIP, 16_000)
    classifier = fake_classifier()
    plain = classifier.classify_file(path)
    chosen = classifier.classify_file(path, labels=["happy", "sad"])
    total = plain.posterior["happy"] + plain.posterior["sad"]
    assert chosen.posterior["happy"] == pytest.approx(plain.posterior["happy"] / total)
    assert chosen.activation == plain.activation


def test_an_explanation_names_what_is_most_probable(tiny_artifact: Artifact, tmp_path: Any) -> None:
    classifier = load(tiny_artifact.path, backend="numpy")
    classifier.abstention = measured(1.0)
    assert {each.state for each in explain(classifier, CLIP, 16_000).decisions} == {"speech"}
    write_wav(tmp_path / "speech.wav", CLIP, 16_000)
    answer, explanation = explain_file(classifier, tmp_path / "speech.wav", labels=["sad", "happy"])
    assert (answer.state, answer.label, list(answer.posterior)) == (
        "uncertain", None, ["happy", "sad"],
    )  # fmt: skip
    assert explanation.labels == LABELS


# -- steadiness ----------------------------------------------------------------------------

HAPPY, SAD = np.eye(3)[1], np.eye(3)[2]


def test_a_label_is_held_as_long_as_is_asked_for() -> None:
    steady = Smoother(("calm", "happy", "sad"), SmootherSettings(time_constant_s=0, hold_s=2.0))
    steady.update(HAPPY, 0.5)
    labels = [steady.update(SAD, 0.5)[0] for _ in range(5)]
    assert labels == ["happy", "happy", "happy", "sad", "sad"]
    # And the one that took over as well, from then on.
    assert [steady.update(HAPPY, 0.5)[0] for _ in range(3)] == ["sad", "sad", "happy"]


def test_quiet_time_is_time_held_and_what_is_forgotten_is_not_held() -> None:
    steady = Smoother(("calm", "happy", "sad"), SmootherSettings(time_constant_s=0, hold_s=9.0))
    steady.update(HAPPY, 0.5)
    assert steady.update(SAD, 0.5)[0] == "happy"
    steady.rest(4.0)
    steady.update(HAPPY, 4.5)
    assert steady.update(SAD, 0.5)[0] == "sad"
    steady.rest(5.0)
    assert steady.update(HAPPY, 0.5)[0] == "happy"


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, 2), min_size=2, max_size=40),
    st.floats(0.1, 3.0),
    st.floats(0.0, 2.0),
)
def test_no_label_lasts_less_than_it_is_held(
    leaders: list[int], hold_s: float, tau_s: float
) -> None:
    labels = ("calm", "happy", "sad")
    settings_ = SmootherSettings(time_constant_s=tau_s, hold_s=hold_s)
    steady, hop_s = Smoother(labels, settings_), 0.25
    said = [steady.update(0.7 * np.eye(3)[leader] + 0.1, hop_s)[0] for leader in leaders]
    changes = [i for i in range(1, len(said)) if said[i] != said[i - 1]]
    for before, after in zip([0, *changes], changes, strict=False):
        assert (after - before) * hop_s >= hold_s - 1e-6


@pytest.mark.parametrize("hold_s", [-1, float("inf"), "2", None])
def test_a_time_that_cannot_be_held_is_refused(hold_s: Any) -> None:
    with pytest.raises(ParameterError, match=r"hold_s is .*finite number >= 0 s"):
        SmootherSettings(hold_s=hold_s)


def test_answering_takes_numpy_s_numbers_and_text() -> None:
    bar, names = np.float64(0.5), np.array(["sad", "happy"])
    answering = Answering(LABELS, None, bar, names)  # type: ignore[arg-type]
    assert answering.min_probability == 0.5
    assert answering.labels == ("happy", "sad")
