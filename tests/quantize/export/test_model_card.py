"""The card says of the posterior what the manifest knows."""

from __future__ import annotations

import dataclasses

from edge.artifact import Abstention, Manifest, read_artifact
from edge.bundled import MODELS_DIR
from quantize.export.model_card import model_card

ECE = {
    "split": "speaker-5fold",
    "metric": "ece",
    "value": 0.0612,
    "n": 4996,
    "command": "edge-ser-quantize scorecard",
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
    assert "    edge-ser-quantize calibrate runs/*" in card


def test_without_a_measurement_of_it_nothing_is_said_of_abstaining():
    assert "leaves unsaid" not in model_card(manifest(abstention=None))
