"""The figures of levers and their tables, from answers that are made up."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.levers.__main__ import main
from benchmarks.levers.answers import (
    ALL_TOGETHER,
    MEMBERS,
    Fold,
    Run,
    figures,
    read_answers,
    write_answers,
)
from benchmarks.levers.levers import LEVERS, REFERENCES
from benchmarks.levers.table import MARKS, render, render_into
from edge.errors import ParameterError

NAMES = ["base", "base-seed-1", "corpus-labels"]
N_SPEAKERS, N_EACH = 6, 4


def said(right: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Posteriors whose largest is the label where it is to be right, else label 1."""
    answers = np.where(right, labels, 1)
    return (0.2 + 0.6 * np.eye(8)[answers]).astype(np.float16)


def run(numbers: tuple[int, ...] = (0, 1), names: list[str] | None = None) -> Run:
    """RAVDESS voices in labels 0 and 2: the bases are right half of the time, the third always."""
    folds = []
    for number in numbers:
        speakers = np.repeat([f"ravdess/{number}{s}" for s in range(N_SPEAKERS)], N_EACH)
        labels = np.tile([0, 2], N_SPEAKERS * N_EACH // 2)
        half = np.tile([True, True, False, False], N_SPEAKERS)
        other = np.tile([True, True, True, False], N_SPEAKERS)
        three = np.stack([said(h, labels) for h in (half, other, labels >= 0)])
        corpora = np.repeat(["ravdess"], len(labels))
        folds.append(
            Fold(
                number, names or NAMES, corpora, speakers, labels, dict.fromkeys(REFERENCES, three)
            )
        )
    return Run({"epochs": 2}, folds)


def test_points_are_above_the_mean_of_the_bases_seeds() -> None:
    levers = figures(run())["protocols"]["speaker-5fold"]["levers"]
    told = {name: levers[name]["none"]["ravdess"] for name in levers}
    assert list(told) == [*NAMES, ALL_TOGETHER, MEMBERS]
    # Label 1 never occurs: whoever says it is asked for what the corpus has, here label 0.
    assert told["base"]["uar"] == pytest.approx(0.75)
    assert told["base-seed-1"]["uar"] == pytest.approx(0.75)
    assert told["corpus-labels"]["uar"] == 1.0
    assert told["corpus-labels"]["points"] == pytest.approx(0.25)
    assert told[MEMBERS]["uar"] == pytest.approx(2.5 / 3, abs=1e-4)
    assert told[ALL_TOGETHER]["above_members"] == pytest.approx(
        told[ALL_TOGETHER]["uar"] - told[MEMBERS]["uar"], abs=1e-4
    )


def test_intervals_are_over_speakers_who_stand_and_fall_together() -> None:
    told = run()
    for fold in told.folds:
        # One voice of six is always wrong: between clips there would be next to no doubt.
        for name in REFERENCES:
            wrong = fold.speakers == fold.speakers[0]
            fold.posteriors[name][2][wrong] = said(np.zeros(wrong.sum(), bool), fold.labels[wrong])
    low, high = figures(told)["protocols"]["speaker-5fold"]["levers"]["corpus-labels"]["none"][
        "ravdess"
    ]["uar_ci95"]
    assert low < 0.91
    assert high == 1.0


def test_answers_come_back_as_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "answers.npz"
    write_answers(path, run())
    found = read_answers(path)
    assert found.about == {"epochs": 2}
    assert [fold.names for fold in found.folds] == [NAMES, NAMES]
    assert figures(found)["protocols"] == figures(run())["protocols"]


@pytest.mark.parametrize("content", [b"", b"no archive", None])
def test_no_answers_are_refused_in_a_sentence(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "answers.npz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ParameterError, match=r"holds no answers.*levers train PACKED --out FILE"):
        read_answers(path)


def test_folds_of_other_trainings_are_refused() -> None:
    mixed = run()
    other = run((1,), ["base", "base-seed-1", "italian"])
    with pytest.raises(ParameterError, match="not of the same trainings"):
        figures(Run({"epochs": 2}, [mixed.folds[0], *other.folds]))


def test_levers_without_a_base_are_refused() -> None:
    with pytest.raises(ParameterError, match="is a base to compare them with: train base beside"):
        figures(run(names=["italian", "polish", "corpus-labels"]))


def test_a_lever_is_told_with_its_points_and_an_interval_where_speakers_allow() -> None:
    text = render({"runs": [figures(run()), figures(run((0,)))]})
    row = next(line for line in text.splitlines() if line.startswith("| `corpus-labels`"))
    assert LEVERS["corpus-labels"].title in row
    assert "100.0 (+25.0 [" in row
    assert text.count("A run of its own") == 1


def test_few_speakers_have_no_interval() -> None:
    few = run((0,))
    few.folds[0].speakers[:] = "ravdess/0"
    text = render({"runs": [figures(few)]})
    assert "| 100.0 (+25.0) |" in text


def test_the_page_has_what_the_results_say() -> None:
    root = Path(__file__).resolve().parents[3]
    result = json.loads((root / "benchmarks/results/levers.json").read_text(encoding="utf-8"))
    page = (root / "docs/results.md").read_text(encoding="utf-8")
    assert f"{MARKS[0]}\n\n{render(result)}\n{MARKS[1]}\n" in page


def test_the_command_writes_figures_and_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answers, page, output = (tmp_path / name for name in ("a.npz", "page.md", "out.json"))
    write_answers(answers, run())
    page.write_text(f"before\n{MARKS[0]}\n{MARKS[1]}\nafter\n", encoding="utf-8")
    assert main(["table", str(answers), "--output", str(output), "--render", str(page)]) == 0
    printed = capsys.readouterr().out
    assert printed in page.read_text(encoding="utf-8")
    result = json.loads(output.read_text(encoding="utf-8"))
    assert not render_into(page, result)
    assert main(["table", str(tmp_path / "nothing.npz")]) == 2
    assert "error:" in capsys.readouterr().err
