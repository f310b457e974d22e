"""Clips of every speaker, with no files behind them."""

from __future__ import annotations

from pathlib import Path

from quantize.data.corpora import CORPORA, DOMAINS, Clip


def make_clips(speakers: list[str], n_per_label: int = 2) -> list[Clip]:
    """Clips of the given ``corpus/speaker`` names; there are no files behind them."""
    clips = []
    for speaker in speakers:
        corpus, own = speaker.split("/")
        description = CORPORA[corpus]
        for native, label in description.labels.items():
            clips += [
                Clip(
                    clip_id=f"{speaker}-{native}-{take}",
                    path=Path(f"/nowhere/{speaker}-{native}-{take}.wav"),
                    corpus=corpus,
                    speaker=speaker,
                    gender=description.speakers[own],
                    label=label or "neutral",
                    native_label=native,
                    language=description.language,
                    sentence=str(take),
                )
                for take in range(n_per_label)
            ]
    return clips


ALL_SPEAKERS = [f"{name}/{s}" for name in DOMAINS for s in CORPORA[name].speakers]
ALL_CLIPS = make_clips(ALL_SPEAKERS)
