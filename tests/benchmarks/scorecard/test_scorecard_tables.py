"""Tables say what the scorecard says, bars missed included, and stay as they are."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
from scorecard_fakes import places, write_runs

from benchmarks.scorecard.__main__ import main
from benchmarks.scorecard.abstaining import ABSTAINING_FILE
from benchmarks.scorecard.collate import collate
from benchmarks.scorecard.headline import headline, headline_into
from benchmarks.scorecard.recipes import RECIPES
from benchmarks.scorecard.tables import BEGIN, END, render_into, render_tables
from quantize.basics.errors import TrainingError
from quantize.measure.figures.bars import FURTHER_BARS, HEADLINE_BARS, Bar
from quantize.measure.figures.cells import corpus_name, figure
from quantize.measure.figures.files import read_abstaining, read_scorecard, write_scorecard
from quantize.measure.figures.references import REFERENCES

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def scorecard(tmp_path_factory):
    at = places(tmp_path_factory.mktemp("tables"))
    write_runs(at)
    return collate(at)


def cells(text: str, start: str) -> list[str]:
    line = next(line for line in text.splitlines() if line.startswith(f"| {start}"))
    return [cell.strip() for cell in line.strip("|").split(" | ")]


def test_headline_has_ours_the_bar_and_theirs(scorecard):
    text = render_tables(scorecard)
    row = cells(text, "`speaker-5fold`, RAVDESS, UAR")
    assert row[1].startswith("66.0 [")
    assert row[2].startswith("**66.0 [")
    assert row[4] == "68.0: not reached, by 2.00"
    assert row[5].startswith("ResLSTM-SA 62.3 (c); HuBERT-base 65.4 (d); WavLM-L 72.0 (d)")
    row = cells(text, "`speaker-5fold`, SAVEE, UAR")
    assert row[4] == "47.0: not reached, by 3.00"
    shared = cells(text, "`speaker-5fold`, SAVEE, sentences that are said in several emotions")
    assert shared[2].startswith("**34.0 [")
    assert shared[4:] == ["", ""]
    row = cells(text, "`paper`, accuracy, 3 seeds")
    assert "the paper's CLAF-SER 92.96 (a)" in row[5]
    assert "(a) Aditya" in text
    assert "22 RAVDESS" in text.replace("\n", " ")
    row = cells(text, "`speaker-5fold`, calibration error")
    assert row[2] == "**0.070 (0.310)**"
    assert row[4] == "at most 0.06: not reached, by 0.0100"
    assert "{" not in text
    assert all(len(line) <= 100 for line in text.splitlines() if line[0:1] not in ("|", "`"))


def test_further_bars_are_judged_by_the_worst(scorecard):
    text = render_tables(scorecard)
    for start, measured, verdict in (
        ("ECE on strangers, the worst corpus", "0.310", "at most 0.10: not reached, by 0.2100"),
        (
            "RAVDESS strangers, points that a reference adds (16 clips, random)",
            "4.5",
            "4.0: reached",
        ),
        ("SAVEE strangers, points that a reference adds (16 clips, three", "2.2", "2.0: reached"),
        ("RAVDESS strangers with a reference", "70.5", "72.0: not reached, by 1.50"),
        ("points that any reference costs", "1.0", "at most 0.5: not reached, by 0.50"),
        ("points of the tiny student below", "0.0", "at most 1.5: reached"),
        ("RAVDESS strangers, single windows of 2.0 s, UAR", "66.0", "64.0: reached"),
        ("RAVDESS strangers, single windows of 1.0 s of speech", "71.0", "55.0: reached"),
        ("a corpus that `claf-ser-alone` never heard", "70.0", "42.0: reached"),
        ("RAVDESS strangers, points lost: babble", "8.0", "at most 12.0: reached"),
        ("RAVDESS strangers, points lost: hum", "3.0", "at most 1.0: not reached, by 2.00"),
        ("points of int8 below fp32", "0.0", "at most 0.3: reached"),
    ):
        assert cells(text, start)[1:] == [f"**{measured}**", verdict]


def test_what_was_learnt_from_beside_the_corpora_is_told(scorecard):
    assert "Learnt from" not in render_tables(scorecard)
    learnt = {"lessons": ["emovo", "nemo"], "embeddings": True, "sounds": False}
    told = render_tables({**scorecard, "learnt_from": learnt}).replace("\n", " ")
    assert (
        "Learnt from beside the four corpora: EMOVO, NEMO, a large model's vectors of the clips. "
        "Trained at" in told
    )


def test_the_worst_condition_is_first(scorecard):
    text = render_tables(scorecard).split("**Not in a studio**")[1]
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert rows[2].startswith("| babble-10dB | 58.0 [56.0, 60.0] | 8.0 [8.0, 8.0] |")
    assert "against 66.0 clean" in text.replace("\n", " ")


def test_references_by_number_and_kind(scorecard):
    text = render_tables(scorecard).split("**With a reference for the voice**")[1]
    assert cells(text, "0 clips")[1:] == ["66.0", "44.0", "74.0", "90.0"]
    assert cells(text, "16 clips, random")[1:3] == ["70.5 (+4.5)", "48.5 (+4.5)"]
    assert cells(text, "64 clips, calm")[1] == "65.0 (-1.0)"


def test_the_tiny_student_stands_beside_the_full_model(scorecard):
    different = copy.deepcopy(scorecard)
    protocols = different["recipes"]["claf-ser-tiny"]["protocols"]
    protocols["speaker-5fold"]["numpy-int8"]["figures"]["by_corpus"]["savee"]["uar"] -= 0.02
    text = render_tables(different)
    table = text.split("**The tiny student**")[1]
    assert "| protocol | full, 504 kB | tiny, 504 kB | below |" in table
    assert cells(table, "`speaker-5fold`, SAVEE, UAR")[3] == "2.0"
    verdict = cells(text, "points of the tiny student below")[2]
    assert verdict == "at most 1.5: not reached, by 0.50"


def test_a_scorecard_of_before_shows_its_noise_and_no_bar_that_was_not_measured(scorecard):
    before = copy.deepcopy(scorecard)
    protocols = before["recipes"]["claf-ser"]["protocols"]
    heard = protocols.pop("conditions/speaker-5fold")
    kept = {"clean", "white-10dB", "pink-10dB", "babble-10dB", "small-room", "far-microphone"}
    found = heard["numpy-int8"]["figures"]["conditions"]
    heard["numpy-int8"]["figures"] = {"conditions": {n: f for n, f in found.items() if n in kept}}
    protocols["noise/speaker-5fold"] = heard
    del protocols["reference/speaker-5fold"]
    for kinds in protocols.values():
        for entry in kinds.values():
            entry["figures"].pop("shared_sentences", None)
    text = render_tables(before)
    assert cells(text, "babble |")[3] == "58.0 (8.0)"
    assert "63.0 (3.0) in a small room" in text.replace("\n", " ")
    assert cells(text, "RAVDESS strangers, points lost: babble")[1] == "**8.0**"
    for absent in ("points lost: hum", "that a reference", "several emotions", "not measured"):
        assert absent not in text


def test_windows_of_speech_stand_beside_all_windows(scorecard):
    text = render_tables(scorecard)
    assert cells(text, "1.0 s |")[2].startswith("66.0 [")
    row = cells(text, "1.0 s of speech |")
    assert row[2].startswith("71.0 [")
    assert "speech for nine tenths" in text.replace("\n", " ")
    shares = text.split("by the share of speech in a window")[1]
    assert cells(shares, "1.5 s")[1:] == ["-", "-", "-", "-", "71.0 (100)"]
    # A scorecard of before has none, and its table stays.
    before = copy.deepcopy(scorecard)
    for recipe in before["recipes"].values():
        for name in ("segments/paper", "segments/speaker-5fold"):
            for kind in recipe["protocols"].get(name, {}).values():
                for condition in kind["figures"]["conditions"].values():
                    del condition["by_speech"]
    assert "of speech" not in render_tables(before)


def test_other_corpora_with_and_without_the_adversary(scorecard):
    text = render_tables(scorecard)
    row = cells(text, "the others → EMO-DB")
    assert len(row) == 6
    assert row[3].startswith("76.0 [")
    assert "EMO-DB → TESS" in text
    told = text.replace("\n", " ")
    # Where one corpus trains there is nothing for it to tell apart.
    assert "changes UAR by +0.0 points on average over these 4 tests" in told
    assert "is better in 0 of them" in told


def test_ablations_stand_beside_the_whole(scorecard):
    text = render_tables(scorecard)
    assert cells(text, "the paper's SimpleRNN")[1:3] == ["2k", "1.5"]
    assert cells(text, "alone, without attention")[4:] == ["66.0", "44.0", "74.0", "90.0"]
    assert "RAVDESS 82.36" in text


def test_choices_show_every_recipe_that_was_chosen_between(scorecard):
    text = render_tables(scorecard)
    table = text.split("**What the recipe was chosen by**")[1]
    assert "(clips: RAVDESS 100, SAVEE 100, EMO-DB 100)" in " ".join(table.split())
    for name in ("claf-ser-alone", "teacher-mixup", "claf-ser"):
        assert f"| {RECIPES[name].title} |" in table
    assert "without attention" not in table


def test_what_was_not_measured_is_left_out_and_named(scorecard):
    partial = copy.deepcopy(scorecard)
    partial["recipes"] = {"no-grl": partial["recipes"]["no-grl"]}
    partial["missing"] = ["claf-ser/paper-torch"]
    text = render_tables(partial)
    assert "Where it stands" not in text
    assert "| alone, without the adversary (GRL) |" in text
    assert "Not measured yet: `claf-ser/paper-torch`." in text
    nothing = {**partial, "recipes": {}}
    assert "|" not in render_tables(nothing)


@pytest.mark.parametrize("missing", range(1, 7))
def test_any_part_may_be_missing(scorecard, missing):
    partial = copy.deepcopy(scorecard)
    protocols = partial["recipes"]["claf-ser"]["protocols"]
    for name in list(protocols)[:missing]:
        del protocols[name]
    del partial["recipes"]["no-grl"]["protocols"]["paper"]
    assert render_tables(partial)


def test_a_bar_missed_by_a_hair_is_missed():
    bar = HEADLINE_BARS["paper", "all", "accuracy"]
    assert bar.verdict(0.9299) == "93.0: not reached, by 0.01"
    assert bar.verdict(0.93) == "93.0: reached"
    assert bar.verdict(None) == "93.0: not measured"
    ece = Bar(0.08, lambda _: None, at_most=True, in_percent=False)
    assert ece.verdict(0.081) == "at most 0.08: not reached, by 0.0010"


def test_bars_and_references_are_about_what_is_shown():
    assert len(HEADLINE_BARS) == 5
    assert len({bar.name for bar in FURTHER_BARS}) == len(FURTHER_BARS) == 19
    assert len({r.key for r in REFERENCES}) == len(REFERENCES)
    for reference in REFERENCES:
        assert reference.note.endswith(".")
        assert "here" in reference.note or "our" in reference.note


def test_rendering_twice_changes_nothing(scorecard, tmp_path):
    path = tmp_path / "README.md"
    path.write_text(f"before\n\n{BEGIN}\nwhat was there\n{END}\n\nafter\n")
    assert render_into(path, scorecard)
    text = path.read_text()
    assert text.startswith(f"before\n\n{BEGIN}\n\nAll of this")
    assert text.endswith(f"\n{END}\n\nafter\n")
    assert "what was there" not in text
    assert not render_into(path, scorecard)
    assert path.read_text() == text


@pytest.mark.parametrize("text", ["", f"{BEGIN}\n", f"{END}\n{BEGIN}\n", f"{BEGIN}\n{END}\n" * 2])
def test_a_file_without_the_marks_is_refused(scorecard, tmp_path, text):
    path = tmp_path / "README.md"
    path.write_text(text)
    with pytest.raises(TrainingError, match="once each, in this order"):
        render_into(path, scorecard)
    assert path.read_text() == text


def test_the_pages_show_the_scorecard(tmp_path):
    committed = ROOT / "benchmarks" / "results" / "scorecard.json"
    if not committed.is_file():
        pytest.skip("benchmarks/results/scorecard.json was not written yet")
    results, readme = (tmp_path / name for name in ("results.md", "README.md"))
    results.write_bytes((ROOT / "docs" / "results.md").read_bytes())
    readme.write_bytes((ROOT / "README.md").read_bytes())
    found = read_scorecard(committed)
    unsaid = read_abstaining(committed.with_name(ABSTAINING_FILE))
    is_old = render_into(results, found, unsaid) or headline_into(readme, found)
    assert not is_old, (
        "run: python -m benchmarks.scorecard --tables-only --render docs/results.md --headline "
        "README.md"
    )


def test_the_pages_have_the_marks(scorecard, tmp_path):
    results, readme = (tmp_path / name for name in ("results.md", "README.md"))
    results.write_bytes((ROOT / "docs" / "results.md").read_bytes())
    readme.write_bytes((ROOT / "README.md").read_bytes())
    assert render_into(results, scorecard)
    assert headline_into(readme, scorecard)
    assert not headline_into(readme, scorecard)


def test_the_headline_has_both_models_and_who_is_measured(scorecard):
    lines = headline(scorecard).splitlines()
    assert lines[0].split("|")[2].strip() == "full"
    named = {
        corpus_name(corpus): figures
        for corpus, figures in scorecard["recipes"]["claf-ser"]["protocols"]["speaker-5fold"][
            "numpy-int8"
        ]["figures"]["by_corpus"].items()
    }
    for name, figures in named.items():
        (line,) = [line for line in lines if line.startswith(f"| {name}, whole clips, UAR |")]
        assert figure(figures, "uar") in line


def test_people_whom_it_has_heard_are_of_the_recipe_for_them(scorecard):
    bar = HEADLINE_BARS["paper", "all", "accuracy"]
    recipes = scorecard["recipes"]
    theirs = copy.deepcopy(recipes["claf-ser"]["protocols"]["paper"])
    for entry in theirs.values():
        entry["figures"]["accuracy"] = 0.987
    with_it = {
        **scorecard,
        "recipes": {
            **recipes,
            "claf-ser-paper": {**recipes["claf-ser"], "protocols": {"paper": theirs}},
        },
    }
    assert bar.value(with_it) == 0.987
    assert "3 seeds (`claf-ser-paper`)" in render_tables(with_it)
    without = {**with_it, "recipes": {**with_it["recipes"], "claf-ser-paper": {"protocols": {}}}}
    assert bar.value(without) != 0.987


def test_tables_alone_need_no_corpora(scorecard, tmp_path, capsys):
    out, readme = tmp_path / "scorecard.json", tmp_path / "README.md"
    write_scorecard(out, scorecard)
    readme.write_text(f"{BEGIN}\n{END}\n")
    command = ["--tables-only", "--out", str(out), "--render", str(readme)]
    assert main(command) == 0
    assert readme.read_text() == f"{BEGIN}\n\n{render_tables(scorecard)}\n{END}\n"
    assert main(command) == 0
    assert "README.md: as it was" in capsys.readouterr().err
