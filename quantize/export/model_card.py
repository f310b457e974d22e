"""MODEL_CARD.md of a trained model, from its manifest."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any

from edge.artifact import Abstention, Manifest
from quantize.data.corpora import CORPORA
from quantize.models.sizes import claf_ser_sizes

__all__ = ["model_card"]

_USE = """\
## What it is for

Research into speech emotion recognition, teaching, and private experiments on small
devices: a robot that reacts to a tone of voice, an art installation, a study of one's own
recordings with everybody's consent.

## What it must not be used for

* Judging people at work, at school, at a border, in court, in hiring, insurance or
  policing, or anyone who has not agreed to it. In the European Union, emotion recognition
  at work and in education is prohibited (Regulation 2024/1689, article 5).
* Medical or psychological findings.
* Anything commercial: the recordings it learned from do not allow it.

## Limits

* It learned from **acted** emotions by a few dozen adult speakers of North American and
  British English and of German. Spontaneous speech is harder, other languages, accents,
  children and old voices were not in the training data, and how wrong it is there was not
  measured.
* Figures on the `paper` split share speakers, sentences and rooms between training and
  test. For strangers, read the `speaker` rows.
* TESS has two speakers and one carrier phrase. Its figures say little about anyone else,
  and it lifts every average it is part of.
* The EMO-DB recordings used here are the first 2.0 s of each utterance, padded with zeros
  where shorter; boredom has no class and was left out.
"""

_ANYTHING = (
    "* It names one of eight emotions for anything that is loud enough, music and barking too.\n"
)
_MISTAKEN = (
    "* What its speech gate takes for a voice gets an emotion: sneezes, cries and songs at times.\n"
)

_NOT_CALIBRATED = "* The posterior is not calibrated: 0.9 does not mean right nine times in ten.\n"


def model_card(manifest: Manifest) -> str:
    """Describe a model for people.

    Parameters
    ----------
    manifest : Manifest
        Of any of its artifacts.

    Returns
    -------
    str
        Markdown.
    """
    training, sizes = manifest.training, claf_ser_sizes(manifest)
    step = f"{sizes.frame_stack} frames a step, " if sizes.frame_stack > 1 else ""
    parts = [
        f"# {manifest.name}",
        f"CLAF-SER with {sizes.hidden} LSTM units a direction, {step}"
        f"`{manifest.quantization.recipe}`, {manifest.model_bytes / 1000:.0f} kB. It takes "
        f"{manifest.window_frames} rows of {sizes.n_features} features "
        f"(about 2 s of speech at {manifest.feature_spec.sample_rate} Hz) and gives a posterior "
        f"over {', '.join(manifest.labels)}.",
        "This file is written by `edge-ser-quantize export --card` from the manifest.",
        "## Training data\n\n" + _data_table(training.get("corpora", ())),
        f"Trained on {training.get('n_clips', '?')} clips (split `{training.get('split')}`), "
        f"{training.get('epochs', '?')} epochs, seed {training.get('seed')}, "
        f"commit `{training.get('commit')}`. The language id of the device is "
        f"`{manifest.default_corpus}`.",
        f"Licence of the weights: {manifest.licence}.",
        "## Measured\n\n" + _figures(manifest.accuracy) + _scorecard(training),
        *_abstention(manifest.abstention),
        *_gate(manifest),
        _USE + (_ANYTHING if manifest.gate is None else _MISTAKEN) + _calibration(manifest),
    ]
    return "\n\n".join(part.rstrip() for part in parts) + "\n"


def _scorecard(training: Mapping[str, Any]) -> str:
    digest = training.get("scorecard_sha256")
    if not digest:
        return ""
    return f"\n\nFrom `benchmarks/results/scorecard.json` (sha256 `{digest[:12]}`)."


def _calibration(manifest: Manifest) -> str:
    if manifest.temperature == 1.0:
        return _NOT_CALIBRATED
    chosen_on = manifest.training.get("calibrated_on", ())
    on = f" on the held-out speakers of {', '.join(chosen_on)}" if chosen_on else ""
    sentence = (
        f"The posterior is calibrated: its temperature of {manifest.temperature:g} was chosen{on}, "
        "by models of the same settings that never heard them."
    )
    errors = [entry for entry in manifest.accuracy if entry["metric"] == "ece"]
    figures = ", ".join(f"{entry['value']:.3f} ({entry['split']})" for entry in errors)
    if figures:
        sentence += f" Expected calibration error on speakers never heard: {figures}."
    sentence += " Other voices, rooms and moods than these may be another matter."
    return (
        textwrap.fill(
            sentence, 88, initial_indent="* ", subsequent_indent="  ", break_on_hyphens=False
        )
        + "\n"
    )


def _abstention(measured: Abstention | None) -> list[str]:
    """Say what the model leaves unsaid, where that was measured."""
    if measured is None:
        return []
    bar, scale = measured.min_probability, measured.activation
    told = (
        f"A label whose probability is below {bar:g} is not said: the decision is `uncertain`, "
        "and `--min-probability` sets another bar."
        if bar
        else "Every label is said, however improbable; `--min-probability` sets a bar."
    )
    lines = [
        "## What it leaves unsaid",
        "",
        f"{told} Measured on single segments, split {measured.split}, commit `{measured.commit}`.",
    ]
    if measured.coverage:
        lines += ["", "| bar | answered | right of these | answers |", "|---|---|---|---|"]
    for row in measured.coverage:
        right = "" if row.accuracy is None else f"{100 * row.accuracy:.1f} %"
        lines.append(f"| {row.bar:g} | {100 * row.coverage:.1f} % | {right} | {row.n} |")
    lines += [
        "",
        "`activation` (0 calm, 1 aroused) is the share of angry, happy, fearful and surprised "
        "among these and calm, sad and neutral; its log odds are multiplied by "
        f"{scale.slope:g}, and {scale.offset:g} is added.",
        "",
        "Command:",
        "",
        *_shell_lines(measured.command),
    ]
    return ["\n".join(lines)]


def _gate(manifest: Manifest) -> list[str]:
    """Say what keeps it from judging what is no voice."""
    gate = manifest.gate
    if gate is None:
        return []
    corpora, sounds = (", ".join(gate.training.get(name, ())) for name in ("corpora", "sounds"))
    return [
        "## When nobody speaks\n\nA speech gate of "
        f"{gate.n_bytes / 1000:.1f} kB in the manifest looks at the same feature rows, and a "
        f"segment with less than {gate.least_speech_s:g} s of speech is `no-speech`: the model is "
        f"not asked. It was trained on {corpora or 'voices'} against generated sounds and "
        f"{sounds or 'none that were recorded'}. Manifest, model and gate together have the "
        f"SHA-256 `{manifest.digest[:12]}`."
    ]


def _shell_lines(command: str) -> list[str]:
    """A command as a block of lines that a shell takes as they are."""
    lines = textwrap.wrap(command, 80, break_long_words=False, break_on_hyphens=False)
    return ("    " + " \\\n      ".join(lines)).split("\n")


def _data_table(names: Any) -> str:
    lines = ["| corpus | language | licence of the recordings |", "|---|---|---|"]
    for name in names:
        corpus = CORPORA[name]
        lines.append(f"| {corpus.title} | {corpus.language} | {corpus.licence} |")
    return "\n".join(lines)


def _figures(entries: tuple[Mapping[str, Any], ...]) -> str:
    if not entries:
        return "Nothing was measured."
    lines = [
        "Each figure comes from a model trained with the same settings on the other side of the "
        "split named, so no clip measured was trained on. Whole utterances: the mean posterior of "
        "their 2 s segments.",
        "",
        "| split | figure | value | clips | artifact, language | commit |",
        "|---|---|---|---|---|---|",
    ]
    for entry in entries:
        value = f"{100 * entry['value']:.1f} %"
        if entry["metric"] == "ece":
            value = f"{entry['value']:.3f}"
        if "ci95" in entry:
            low, high = entry["ci95"]
            value += f" [{100 * low:.1f}, {100 * high:.1f}]"
        if "sd" in entry:
            value += f" ± {100 * entry['sd']:.1f}"
        lines.append(
            f"| {entry['split']} | {entry['metric']} | {value} | {entry['n']} | "
            f"{entry.get('kind', '')}, {entry.get('language', '')} | `{entry['commit']}` |"
        )
    commands = sorted({entry["command"] for entry in entries})
    lines += ["", "Commands:", "", *(f"    {command}" for command in commands)]
    return "\n".join(lines)
