"""Corpora of files that are not empty, and hold no audio."""

from __future__ import annotations

from pathlib import Path

from quantize.data.corpora import load_corpora


def touch(root: Path, *names: str) -> Path:
    """Write files that are not empty; no test here reads audio."""
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"RIFF" + name.encode())
    return root


def ids(root: Path, **options: object) -> list[str]:
    return [clip.clip_id for clip in load_corpora(root, **options)[0]]  # type: ignore[arg-type]
