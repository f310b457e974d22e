"""Command lines of tiny trainings and their measurement."""

from __future__ import annotations

from pathlib import Path


def train(data: Path, cache: Path, out: Path, *more: str) -> list[str]:
    return [
        "train",
        "--data",
        str(data),
        "--cache",
        str(cache),
        "--out",
        str(out),
        "--epochs",
        "2",
        "--variants",
        "1",
        "--workers",
        "1",
        "--hidden",
        "16",
        *more,
    ]


def evaluate(data: Path, runs: Path, *more: str) -> list[str]:
    return [
        "evaluate",
        "--data",
        str(data),
        "--cache",
        str(runs / "cache"),
        "--workers",
        "1",
        *more,
    ]
