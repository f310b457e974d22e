"""What is said and what is left unsaid: gathered where it is up to date, shown with its recipe."""

from __future__ import annotations

import json

import pytest
from scorecard_fakes import places, write_runs

from benchmarks.scorecard.__main__ import main
from benchmarks.scorecard.abstaining import (
    ABSTAINING_FILE,
    abstaining,
    activation,
    collate_abstaining,
)
from benchmarks.scorecard.recipes import RECIPES
from benchmarks.scorecard.tables import BEGIN, END, render_tables
from quantize.basics.errors import TrainingError
from quantize.measure.figures.files import read_abstaining, write_scorecard


@pytest.fixture(scope="module")
def at(tmp_path_factory):
    found = places(tmp_path_factory.mktemp("score"))
    write_runs(found, ("claf-ser-alone", "claf-ser", "baseline"))
    return found


@pytest.fixture(scope="module")
def unsaid(at):
    return collate_abstaining(at)


def cells(text: str, start: str) -> list[list[str]]:
    lines = [line for line in text.splitlines() if line.startswith(f"| {start}")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def test_every_recipe_with_folds_is_gathered(unsaid):
    assert list(unsaid["recipes"]) == ["claf-ser-alone", "claf-ser"]


def test_the_table_has_every_corpus_and_both_ways_to_weigh(unsaid):
    text = abstaining(unsaid)
    report = unsaid["recipes"]["claf-ser"]
    assert RECIPES["claf-ser"].title in " ".join(text.split())
    assert f"the bar, {report['min_probability']:g}, is the smallest" in " ".join(text.split())
    for name, key in (("mean of these", "mean"), ("all windows", "pooled")):
        (row,) = cells(text, name)
        part = report["answered"][key]
        assert row[2] == str(part["n"]) == "2400"
        assert row[3] == f"{100 * report['without_bar'][key]['accuracy']:.1f}"
        assert row[4].startswith(f"{100 * part['coverage']:.1f} [")
        assert row[5].startswith(f"**{100 * part['accuracy']:.1f} [")
    assert cells(text, "EMO-DB")[0][1] == "3"
    files = report["files"]["pooled"]
    told = f"{100 * files['coverage']:.1f} % answered, {100 * files['accuracy']:.1f} % right of all"
    assert told in " ".join(text.split())
    bars = [cells(text, f"0.{n} |")[0] for n in range(2, 10)]
    assert all(len(row) == 7 for row in bars)
    answered = [float(row[6].split(" / ")[0]) for row in bars]
    assert answered == sorted(answered, reverse=True)
    assert "{" not in text


def test_activation_by_corpus(unsaid):
    rows = cells(activation(unsaid), "")
    # A head, a rule's four corpora and their mean.
    assert [row[0] for row in rows if row[0].isupper() or row[0] == "mean"] == [
        "RAVDESS", "SAVEE", "EMO-DB", "TESS", "mean",
    ]  # fmt: skip
    mean = unsaid["recipes"]["claf-ser"]["activation"]["mean"]
    assert rows[-1][5:] == [f"{mean['auc']:.3f}", f"{mean['ece']:.3f}"]


def test_folds_of_another_recipe_are_called_so(unsaid):
    other = {**unsaid, "recipes": {"claf-ser-alone": unsaid["recipes"]["claf-ser-alone"]}}
    for text in (abstaining(other), activation(other)):
        told = " ".join(text.split())
        assert (
            f"{RECIPES['claf-ser-alone'].title} (the folds of {RECIPES['claf-ser'].title}" in told
        )


def test_a_bar_that_does_not_exist_is_said(unsaid):
    report = {**unsaid["recipes"]["claf-ser"], "min_probability": None}
    nothing = {key: {**part, "accuracy": None} for key, part in report["answered"].items()
               if key != "by_corpus"}  # fmt: skip
    report["answered"] = {**nothing, "by_corpus": {}}
    report["files"] = report["answered"]
    report["without_bar"] = {**report["without_bar"], "by_corpus": {}}
    report["coverage"] = [{"bar": 0.9, **report["answered"]}]
    text = abstaining({"recipes": {"claf-ser": report}})
    assert "no bar does for 75.0 %" in " ".join(text.split())
    assert cells(text, "all windows")[0][5] == "-"
    assert cells(text, "0.9")[0][1:] == ["-", "-"]


def test_nothing_measured_is_no_table(tmp_path):
    assert abstaining(None) == activation(None) == abstaining({"recipes": {}}) == ""
    assert collate_abstaining(places(tmp_path))["recipes"] == {}
    assert read_abstaining(tmp_path / "no.json") is None


def test_what_is_older_than_its_folds_is_left_out_and_damage_is_one_sentence(tmp_path):
    found = places(tmp_path)
    write_runs(found, ("claf-ser-alone",))
    path = found.runs / "claf-ser-alone" / "reports" / "abstention.json"
    for text in ("{", "{}", "[]"):
        path.write_text(text)
        with pytest.raises(TrainingError, match="is no report of edge-ser-quantize calibrate"):
            collate_abstaining(found)
    (found.runs / "claf-ser-alone" / "speaker-f0" / "checkpoint.safetensors").touch()
    path.write_text("{")
    assert collate_abstaining(found)["recipes"] == {}


def test_the_command_writes_it_beside_the_scorecard_and_renders_it(at, unsaid, tmp_path):
    at.data.mkdir(exist_ok=True)
    readme, out = tmp_path / "R.md", tmp_path / "scorecard.json"
    readme.write_text(f"{BEGIN}\n{END}\n")
    words = ["--data", str(at.data), "--cache", str(at.cache), "--runs", str(at.runs)]
    words += ["--out", str(out), "--render", str(readme), "--recipes", "claf-ser-alone"]
    assert main([*words, "--only", "speaker"]) == 0
    assert json.loads((tmp_path / ABSTAINING_FILE).read_text()) == unsaid
    written = readme.read_text()
    assert "What it says and what it leaves unsaid" in written
    assert "**Activation**" in written
    words = ["--tables-only", "--out", str(out), "--render", str(readme)]
    assert main(words) == 0
    assert readme.read_text() == written
    write_scorecard(tmp_path / ABSTAINING_FILE, {**unsaid, "recipes": {}})
    assert main(words) == 0
    assert "leaves unsaid" not in readme.read_text()


def test_lines_are_as_long_as_the_readme_s(unsaid):
    text = render_tables(
        {"recipes": {}, "missing": [], "commits": {"trained": [], "measured": []}}, unsaid
    )
    assert all(len(line) <= 100 for line in text.splitlines() if line[0:1] not in ("|", "`"))
