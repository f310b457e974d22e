"""The card says of the posterior what the manifest knows."""

from __future__ import annotations

import dataclasses

import pytest

from edge.artifact import Abstention, Manifest, read_artifact
from edge.bundled import MODELS_DIR
from edge.features.voice_reference import VoiceReference
from quantize.basics.redo import as_called_now, shell_lines
from quantize.export.licence import OWN_LICENCE, licence_of
from quantize.export.model_card import model_card

ECE = {
    "split": "speaker-5fold",
    "metric": "ece",
    "value": 0.0612,
    "n": 4996,
    "command": "python -m benchmarks.scorecard",
    "commit": "abc",
}


def manifest(**changes: object) -> Manifest:
    bundled = read_artifact(MODELS_DIR / "claf-ser-int8").manifest
    return dataclasses.replace(bundled, **changes)  # type: ignore[arg-type]


def words(card: str) -> str:
    return " ".join(card.split())


def test_at_temperature_one_it_is_not_calibrated():
    card = words(model_card(manifest(temperature=1.0)))
    assert "The posterior is not calibrated" in card
    assert "calibrated: its temperature" not in card


def test_a_temperature_names_who_chose_it_and_the_error_that_is_left():
    training = {
        "corpora": ["tess"],
        "calibrated_on": ["speaker-5fold-s0-f0", "speaker-5fold-s0-f1"],
    }
    given = manifest(temperature=1.32, training=training, accuracy=(ECE,))
    card = model_card(given)
    assert "not calibrated" not in card
    told = words(card)
    assert "its temperature of 1.32 was chosen on the held-out speakers of" in told
    assert "speaker-5fold-s0-f0, speaker-5fold-s0-f1" in told
    assert "never heard: 0.061 (speaker-5fold)." in told
    assert "| speaker-5fold | ece | 0.061 | 4996 |" in card
    assert all(len(line) <= 92 for line in card.splitlines() if line.startswith(("*", "  ")))


def test_without_a_figure_none_is_given():
    told = words(model_card(manifest(temperature=0.9, training={}, accuracy=())))
    assert "its temperature of 0.9 was chosen" in told
    assert "Expected calibration error" not in told


def test_what_it_leaves_unsaid_is_a_table():
    measured = Abstention.from_dict(
        {
            "min_probability": 0.55,
            "coverage": [[0.0, 1.0, 0.61, 400], [0.55, 0.625, 0.7512, 250], [0.95, 0, None, 0]],
            "split": "speaker-5fold",
            "command": "edge-ser-quantize calibrate runs/*",
            "commit": "abc",
            "activation": {"slope": 0.8, "offset": -0.1},
        }
    )
    card = model_card(manifest(abstention=measured))
    assert "below 0.55 is not said" in words(card)
    assert "| 0.55 | 62.5 % | 75.1 % | 250 |" in card
    assert "| 0.95 | 0.0 % |  | 0 |" in card
    assert "multiplied by 0.8, and -0.1 is added" in words(card)
    assert '    edge-ser-quantize calibrate "$RUNS"/*' in card


def test_without_a_measurement_of_it_nothing_is_said_of_abstaining():
    assert "leaves unsaid" not in model_card(manifest(abstention=None))


@pytest.mark.parametrize(
    "card", sorted(MODELS_DIR.glob("*/MODEL_CARD.md")), ids=lambda p: p.parent.name
)
def test_a_bundled_card_is_what_its_manifest_says(card):
    assert card.read_text(encoding="utf-8") == model_card(read_artifact(card.parent).manifest)


def test_commands_are_named_as_they_are_called_now_and_their_folders_are_explained():
    card = model_card(manifest())
    assert "edge-ser-quantize scorecard" not in card
    assert "in a checkout of edge-ser, where `CORPORA` is the folder of the corpora:" in card
    assert '    python -m benchmarks.scorecard --data "$CORPORA" --recipes claf-ser' in card
    assert "`RUNS` is the folder that the runs lie in" in card
    assert " runs/" not in card


def test_a_long_command_is_cut_only_between_words():
    command = as_called_now("edge-ser-quantize calibrate " + "runs/'a b'/f0 " * 9)
    lines = shell_lines(command)
    assert len(lines) > 1
    assert all(line.count("'") % 2 == 0 and line.count('"') % 2 == 0 for line in lines)
    assert all(line.endswith(" \\") for line in lines[:-1])


def test_data_and_licence_are_of_the_corpora_that_were_trained_on():
    training = {"corpora": ["emovo-like|mine", "tess"]}
    card = model_card(manifest(training=training, licence=licence_of(training)))
    assert "| emovo-like\\|mine (your own recordings) |  | licence not stated |" in card
    assert "| Toronto Emotional Speech Set | en | CC BY-NC-ND 4.0 |" in card
    assert "Ryerson" not in card
    assert "EMO-DB" not in card.partition("## Limits")[2]
    assert "British" not in card
    assert "TESS has two speakers" in card
    mine = model_card(manifest(training={"corpora": ["mine"], OWN_LICENCE: "CC0"}))
    assert "| mine (your own recordings) |  | CC0 |" in mine
    assert "TESS" not in mine.partition("## Limits")[2]
    assert "Anything commercial" not in mine


@pytest.mark.parametrize(
    ("training", "licence"),
    [
        ({}, "licence not stated"),
        ({"corpora": "tess"}, "licence not stated"),
        (
            {"corpora": ["mine"]},
            "trained on your own recordings of mine (licence not stated)",
        ),
        (
            {"corpora": ["mine", "tess"], OWN_LICENCE: "CC0"},
            "trained on your own recordings of mine (CC0), TESS (CC BY-NC-ND 4.0): for research "
            "and other non-commercial use only",
        ),
    ],
)
def test_the_licence_of_the_weights_is_that_of_the_recordings(training, licence):
    assert licence_of(training) == licence


def test_the_licence_of_the_four_and_of_the_bundled_models():
    four = {"corpora": ["tess", "savee", "emo-db", "ravdess"]}
    assert licence_of(four) == (
        "CC BY-NC-SA 4.0; trained on RAVDESS (CC BY-NC-SA 4.0), TESS (CC BY-NC-ND 4.0), SAVEE and "
        "EMO-DB (research use): for research and other non-commercial use only"
    )
    assert licence_of(manifest().training) == manifest().licence


def test_other_labels_have_a_card_without_what_is_of_the_eight():
    measured = Abstention.from_dict(
        {"min_probability": 0.5, "coverage": [], "split": "s", "command": "c", "commit": "abc"}
    )
    odd = {"labels": ("cheering", "angry"), "abstention": measured, "gate": None}
    card = words(model_card(manifest(training={"corpora": ["mine"]}, **odd)))
    assert "`activation`" not in card
    assert "one of two labels" in card


FOUND = ("split", "metric", "value", "role")
FIGURES = tuple(
    {**ECE, **dict(zip(FOUND, row, strict=True))}
    for row in (
        ("speaker-5fold, ravdess", "uar", 0.68, "corpus"),
        ("speaker-5fold, savee", "accuracy", 0.3, "corpus"),
        ("speaker-5fold, savee", "uar", 0.47, "corpus"),
        ("speaker-5fold, disgust", "recall", 0.402, "label"),
        ("speaker-5fold, ravdess, babble noise at 10 dB", "uar", 0.56, "condition"),
        ("speaker-5fold, ravdess, gain-20dB-up", "uar", 0.51, "condition"),
        ("SAVEE, trained on the other corpora", "uar", 0.3, "unheard corpus"),
        ("TESS, trained on the other corpora", "uar", 0.5, "unheard corpus"),
        ("speaker-5fold, ravdess, 16 clips", "uar", 0.72, "reference"),
    )
)


def heard(n_speakers: int | None = 4) -> dict[str, dict[str, object]]:
    return {
        "ravdess": {"n_clips": 1056, "n_speakers": 22, "languages": ["en"]},
        "nemo": {"n_clips": 1109, "n_speakers": n_speakers, "languages": ["pl"]},
    }


def test_whom_it_heard_and_who_taught_it_is_told():
    training = {
        "corpora": ["ravdess", "nemo"],
        "heard": heard(),
        "lessons": ["nemo"],
        "teachers": {"claf-ser-alone/all": "1f", "teacher-plain/all": "2e"},
        "encoder": {"embeddings_sha256": "3d"},
    }
    card = model_card(manifest(training=training))
    assert "| corpus | language | speakers | clips | licence of the recordings |" in card
    assert "| pl | 4 | 1109 | CC BY-NC-SA 4.0 |" in card
    told = words(card)
    assert "the mean posterior of `claf-ser-alone/all` and `teacher-plain/all` and by" in told
    assert "a large model's vectors of the same clips" in told
    assert "Of NEMO every clip was learnt, and none is measured." in told
    assert "from **acted** emotions by 26 adult speakers of English and Polish." in told
    assert "few dozen" not in told
    alone = words(model_card(manifest(training={"corpora": ["ravdess"]})))
    assert "Taught beside" not in alone
    assert "speakers | clips" not in alone


@pytest.mark.parametrize(
    "training",
    [
        {"corpora": ["ravdess", "nemo"], "heard": heard(None)},
        {"corpora": ["mine"], "heard": {"mine": {"n_clips": 4, "n_speakers": 2}}},
        {"corpora": ["ravdess"], "heard": "everybody"},
    ],
)
def test_nothing_is_said_of_speakers_that_nobody_counted(training):
    assert "adult speakers of" not in words(model_card(manifest(training=training)))


def test_where_it_fails_is_told_by_its_figures():
    card = model_card(manifest(accuracy=FIGURES, voice_reference=None))
    told = words(card.partition("## Where it fails")[2].partition("## What it is for")[0])
    assert "it is worst on SAVEE: UAR 47.0 %." in told
    assert "UAR is 40.0 % on average, from 30.0 to 50.0 %." in told
    assert "it finds disgust least: 40.2 % of 4996 clips." in told
    assert "the worst is gain-20dB-up: UAR 51.0 %, against 68.0 % clean." in told
    assert "It knows no reference for a voice" in told
    reference = VoiceReference(
        (0.0,) * 34, **{f.name: 1.0 for f in dataclasses.fields(VoiceReference)[1:]}
    )
    knows = words(model_card(manifest(accuracy=FIGURES, voice_reference=reference)))
    assert "With one, UAR is 72.0 % (ravdess after 16 clips)." in knows
    assert "knows no reference" not in knows
    assert "rows of 34 features and of how well it knows the voice (about 2 s" in knows
    assert "rows of 34 features (about 2 s" in words(
        without := model_card(manifest(voice_reference=None))
    )
    assert "knows the voice" not in without


def test_figures_without_roles_are_no_failings():
    assert "Where it fails" not in model_card(manifest(accuracy=(ECE,)))
