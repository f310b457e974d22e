"""MODEL_CARD.md of a trained model, from its manifest."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from edge.artifact import Abstention, Manifest
from edge.stream.activation import AROUSED, CALM
from quantize.basics.redo import as_called_now, explained, shell_lines
from quantize.basics.templates import render
from quantize.data.corpora import LABELS
from quantize.export.card_facts import (
    ACTED,
    failings,
    heard_rows,
    speakers_and_languages,
    taught_by,
)
from quantize.export.licence import is_restricted
from quantize.models.sizes import claf_ser_sizes

__all__ = ["model_card"]

_NUMBERS = ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_NOT_CALIBRATED = "* The posterior is not calibrated: 0.9 does not mean right nine times in ten."
_FOUR = {"ravdess", "savee", "emo-db", "tess"}


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
    training = manifest.training
    recordings = heard_rows(training)
    names = {name for name in training.get("corpora") or () if isinstance(name, str)}
    commands = sorted({as_called_now(entry["command"]) for entry in manifest.accuracy})
    splits = [str(entry["split"]) for entry in manifest.accuracy]
    return render(
        "quantize.export",
        "model_card.md.j2",
        name=manifest.name,
        summary=_summary(manifest),
        recordings=[{key: _cell(text) for key, text in row.items()} for row in recordings],
        counted=any(row["n_clips"] for row in recordings),
        taught=taught_by(training),
        failings=[_point(sentence) for sentence in failings(manifest)],
        acted=_acted(training, names),
        trained=(
            f"Trained on {training.get('n_clips', '?')} clips (split `{training.get('split')}`), "
            f"{training.get('epochs', '?')} epochs, seed {training.get('seed')}, commit "
            f"`{training.get('commit')}`. The language id of the device is "
            f"`{manifest.default_corpus}`."
        ),
        licence=manifest.licence,
        figures=[_figure(entry) for entry in manifest.accuracy],
        named=any("of" in entry for entry in manifest.accuracy),
        measured=_measured(manifest),
        commands_where=explained(commands),
        # A variable that a person has to set is no reason to cut a line that fits no screen.
        command_lines=[f"    {command}" for command in commands],
        scorecard=str(training.get("scorecard_sha256") or "")[:12],
        abstention=_abstention(manifest.abstention, manifest.labels),
        gate=_gate(manifest),
        restricted=is_restricted(training),
        of_the_four=names == _FOUR,
        shares_speakers=any(split.startswith("paper") for split in splits),
        strangers=(
            "read the `speaker` rows"
            if any(split.startswith("speaker") for split in splits) or not splits
            else "nothing was measured"
        ),
        has_tess="tess" in names,
        # What the manifest of a run of today tells of the run: before, all there was of EMO-DB
        # were clips that had been cut.
        has_cut_emodb="emo-db" in names and "run_digest" not in training,
        n_labels="eight emotions"
        if set(manifest.labels) == set(LABELS)
        else f"{_number(len(manifest.labels))} labels",
        posterior=_posterior(manifest),
    )


def _summary(manifest: Manifest) -> str:
    sizes = claf_ser_sizes(manifest)
    # A column of the rows, and no feature.
    beside = " and of how well it knows the voice" if manifest.voice_reference else ""
    step = f"{sizes.frame_stack} frames a step, " if sizes.frame_stack > 1 else ""
    return (
        f"CLAF-SER with {sizes.hidden} LSTM units a direction, {step}"
        f"`{manifest.quantization.recipe}`, {manifest.model_bytes / 1000:.0f} kB. It takes "
        f"{manifest.window_frames} rows of {manifest.feature_spec.n_features} features{beside} "
        f"(about {_window_s(manifest):.2g} s of speech at {manifest.feature_spec.sample_rate} Hz) "
        f"and gives a posterior over {', '.join(manifest.labels)}."
    )


def _window_s(manifest: Manifest) -> float:
    spec = manifest.feature_spec
    return manifest.window_frames * spec.hop_length / spec.sample_rate


def _measured(manifest: Manifest) -> str:
    segments = f"the mean posterior of their {_window_s(manifest):.2g} s segments"
    if not any("of" in entry for entry in manifest.accuracy):
        # As it was written before an entry told which runs it is of: all were stand-ins.
        return (
            "Each figure comes from a model trained with the same settings on the other side of "
            "the split named, so no clip measured was trained on. Whole utterances: "
            f"{segments}."
        )
    return (
        "No clip measured was trained on. What is of this model was measured on what its training "
        "held out; other runs that stand in for it were trained by the same recipe with the same "
        f"settings, each on the other side of the split named. Whole recordings: {segments}."
    )


def _figure(entry: Mapping[str, Any]) -> dict[str, Any]:
    value = f"{100 * entry['value']:.1f} %"
    if entry["metric"] == "ece":
        value = f"{entry['value']:.3f}"
    if "ci95" in entry:
        low, high = entry["ci95"]
        value += f" [{100 * low:.1f}, {100 * high:.1f}]"
    if "sd" in entry:
        value += f" ± {100 * entry['sd']:.1f}"
    return {
        **{key: _cell(entry[key]) for key in ("split", "metric", "n", "commit")},
        "value": value,
        "of": _cell(entry.get("of", "runs of the recipe, not of this model")),
        "artifact": _cell(f"{entry.get('kind', '')}, {entry.get('language', '')}"),
    }


def _posterior(manifest: Manifest) -> str:
    """Say whether the posterior is calibrated, as an entry of a list."""
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
    return _point(sentence)


def _acted(training: Mapping[str, Any], corpora: set[str]) -> str | None:
    """Say who acted what it learned from, where the manifest tells it and all of it was acted."""
    heard = speakers_and_languages(training)
    if heard is None or not corpora <= ACTED:
        return None
    n_speakers, languages = heard
    return _point(
        f"It learned from **acted** emotions by {n_speakers} adult speakers of "
        f"{_listed(languages)}. Spontaneous speech is harder, other languages, accents, children "
        "and old voices were not in the training data, and how wrong it is there was not measured."
    )


def _point(sentence: str) -> str:
    """An entry of a list, in lines as long as the card's."""
    return textwrap.fill(
        sentence, 88, initial_indent="* ", subsequent_indent="  ", break_on_hyphens=False
    )


def _abstention(measured: Abstention | None, labels: tuple[str, ...]) -> dict[str, Any] | None:
    """Say what the model leaves unsaid, where that was measured."""
    if measured is None:
        return None
    bar, scale = measured.min_probability, measured.activation
    told = (
        f"A label whose probability is below {bar:g} is not said: the decision is `uncertain`, "
        "and `--min-probability` sets another bar."
        if bar
        else "Every label is said, however improbable; `--min-probability` sets a bar."
    )
    command = as_called_now(measured.command)
    aroused, calm = ([name for name in side if name in labels] for side in (AROUSED, CALM))
    return {
        "told": f"{told} Measured on single segments, split {measured.split}, commit "
        f"`{measured.commit}`.",
        "coverage": [
            {
                "bar": f"{each.bar:g}",
                "answered": f"{100 * each.coverage:.1f} %",
                "right": "" if each.accuracy is None else f"{100 * each.accuracy:.1f} %",
                "n": each.n,
            }
            for each in measured.coverage
        ],
        "activation": (
            f"`activation` (0 calm, 1 aroused) is the share of {_listed(aroused)} among these and "
            f"{_listed(calm)}; its log odds are multiplied by {scale.slope:g}, and "
            f"{scale.offset:g} is added."
        )
        if aroused and calm
        else None,
        "where": explained([command]),
        "lines": shell_lines(command),
    }


def _gate(manifest: Manifest) -> str | None:
    """Say what keeps it from judging what is no voice."""
    gate = manifest.gate
    if gate is None:
        return None
    corpora, sounds = (", ".join(gate.training.get(name, ())) for name in ("corpora", "sounds"))
    return (
        "A speech gate of "
        f"{gate.n_bytes / 1000:.1f} kB in the manifest looks at the same feature rows, and a "
        f"segment with less than {gate.least_speech_s:g} s of speech is `no-speech`: the model is "
        f"not asked. It was trained on {corpora or 'voices'} against generated sounds and "
        f"{sounds or 'none that were recorded'}. Manifest, model and gate together have the "
        f"SHA-256 `{manifest.digest[:12]}`."
    )


def _listed(words: Sequence[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _number(n: int) -> str:
    return _NUMBERS[n - 2] if 0 <= n - 2 < len(_NUMBERS) else str(n)


def _cell(value: Any) -> str:
    """Text of one cell of a Markdown table."""
    return " ".join(str(value).split()).replace("|", "\\|")
