"""What a person gets to see: table, JSON, CSV, picture and report."""

from __future__ import annotations

import csv
import re

import pytest
from search_fakes import N_CLIPS, candidate, reference

from edge.errors import ParameterError
from quantize.search.pareto import Constraints, choose
from quantize.search.picture import plot_pareto
from quantize.search.report_html import report_html
from quantize.search.table import COLUMNS, cells, format_table, json_entries, write_csv

CANDIDATES = [
    candidate("a/full--numpy-int8", 500, 0.805, 2.0),
    candidate("a/tiny--numpy-int8", 80, 0.795, 0.5),
    candidate("a/tiny--onnx-int8", 90, 0.79, 0.6),
]
FAILED = {
    "run": "a/odd",
    "kind": "onnx-int8",
    "name": "a/odd--onnx-int8",
    "status": "failed",
    "error": "the runtime says <no>",
    "hidden": 5,
}
LIMITS = Constraints(100, 1.0, 2)


@pytest.fixture
def choice():
    return choose(CANDIDATES, LIMITS)


def test_the_table_marks_the_reference_the_chosen_one_and_the_front(choice):
    lines = format_table(reference(), CANDIDATES, choice, [FAILED]).splitlines()
    assert lines[0].split() == " ".join(COLUMNS).split()
    assert lines[1].split()[:6] == ["=", "-", "full", "torch", "-", "80.00"]
    assert lines[2].split()[:3] == ["*", "1", "a/full"]
    chosen = "numpy-int8 80.0 79.50 0.50 78.50 99.0 0.50 1.00 8.00 -"
    assert lines[3].split() == [">*", "2", "a/tiny", *chosen.split()]
    assert lines[4].split()[:2] == ["3", "a/tiny"]
    assert lines[5] == "failed: a/odd as onnx-int8: the runtime says <no>"
    assert lines[-1] == choice.sentence
    # Aligned: the figures of a column end below each other.
    assert len({len(line) for line in lines[:5]}) == 1


def test_json_and_csv_have_one_set_of_keys_for_all_trials(choice, tmp_path):
    listed = json_entries(reference(), CANDIDATES, choice, [FAILED])
    assert len({tuple(each) for each in listed}) == 1
    first, full, tiny, other, failed = listed
    assert [each["status"] for each in listed] == ["reference", *["measured"] * 3, "failed"]
    assert (first["meets"], first["chosen"], first["front"]) == (False, False, False)
    assert full["misses"] == pytest.approx({"--max-kb": 400})
    assert (tiny["chosen"], tiny["front"], tiny["meets"], tiny["misses"]) == (True, True, True, {})
    assert (other["chosen"], other["front"], other["meets"]) == (False, False, True)
    assert (failed["error"], failed["accuracy"]) == (FAILED["error"], None)
    write_csv(tmp_path / "search.csv", listed)
    with open(tmp_path / "search.csv", encoding="utf-8", newline="") as file:
        candidates = list(csv.DictReader(file))
    assert list(candidates[0])[:7] == ["run", "kind", "name", "status", "error", "chosen", "front"]
    assert {"accuracy_tess", "uar_emo-db", "ms", "ms_wall", "times_faster"} < set(candidates[0])
    assert candidates[2]["accuracy_tess"] == "0.795"
    assert candidates[1]["misses"] == "max-kb=400"
    assert (candidates[2]["ms"], candidates[4]["ms"], candidates[2]["accuracy_savee"]) == (
        "0.5",
        "",
        "",
    )


def written(choice, **changes):
    settings = {
        "picture": b"\x89PNG",
        "about": {"split": "s <1>", "commit": "abc"},
        "warning": None,
        "export_command": ["edge-ser-quantize", "export", "my run", "--kind", "numpy-int8"],
    }
    return report_html(reference(), CANDIDATES, choice, LIMITS, [FAILED], **{**settings, **changes})


def test_the_report_says_what_to_take_and_needs_nothing_else(choice):
    page = written(choice)
    body = page[page.index("<body>") :]
    assert body.index("a/tiny as numpy-int8 is the most accurate of the 2 of 3") < 200
    assert '<tr class="chosen"><td>&gt;*</td><td>2</td><td>a/tiny</td>' in page
    assert '<tr class="misses"><td>*</td><td>1</td><td>a/full</td>' in page
    assert "export &#39;my run&#39; --kind numpy-int8" in page
    assert "artifacts/a/tiny--numpy-int8" in page
    assert "<code>--max-kb 100</code>: model file at most 100 kB" in page
    assert "at most 1 point<" in page
    assert f"{N_CLIPS} held-out ones is 0.50 points" in page
    assert all(f"<dt>{name}</dt>" in page for name in COLUMNS)
    assert "data:image/png;base64,iVBORw==" in page
    # Nothing from elsewhere, nothing that runs.
    assert "<script" not in page
    assert not re.search(r"https?://|url\(|@import", page)
    assert "Caution" not in page
    assert "Caution: not honest." in written(choice, warning="not honest")
    assert "<img" not in written(choice, picture=None)


def test_names_and_messages_are_text_and_not_markup():
    bad = '<img src=x onerror="alert(1)">&'
    candidates = [candidate(f"{bad}--numpy-int8", 80, 0.795, 0.5)]
    page = report_html(
        candidate(f"{bad}--torch", None, 0.8, 4.0),
        candidates,
        choose(candidates, LIMITS),
        LIMITS,
        [{**FAILED, "run": bad, "kind": bad, "error": bad}],
        picture=None,
        about={"split": bad, "command": bad},
        warning=bad,
        export_command=["edge-ser-quantize", "export", bad],
    )
    assert "<img" not in page
    assert "onerror=&#34;alert(1)&#34;&gt;&amp;" in page


def test_without_a_choice_the_report_says_what_is_nearest():
    choice = choose(CANDIDATES, Constraints(10))
    page = written(choice, export_command=None)
    assert "No artifact meets the constraints; the nearest, a/tiny as numpy-int8" in page
    assert "Take the chosen one" not in page
    assert 'class="chosen"' not in page


@pytest.mark.parametrize(
    ("candidates", "limits"),
    [
        (CANDIDATES, LIMITS),
        (CANDIDATES[:1], Constraints()),
        (CANDIDATES, Constraints(10, 0.0, 0.1)),
        ([candidate("untimed", 80, 0.7, None)], Constraints(max_ms=1)),
        # Decades of size and time, one far below, names that cannot all be drawn.
        (
            [
                candidate(f"r/{i}--numpy-int{i}", 10.0 * 1.3**i, 0.7 + i / 200, 0.1 * 1.2**i)
                for i in range(20)
            ]
            + [candidate("r/broken--numpy-int8", 50, 0.1, 9.0)],
            LIMITS,
        ),
    ],
)
def test_the_picture_is_drawn(tmp_path, candidates, limits):
    picture = tmp_path / "pareto.png"
    plot_pareto(
        reference(), candidates, choose(candidates, limits), limits, picture, title="a split"
    )
    content = picture.read_bytes()
    assert content.startswith(b"\x89PNG")
    width = int.from_bytes(content[16:20], "big")
    assert width >= 1200


def test_no_name_lies_on_another(tmp_path, monkeypatch):
    from quantize.search import picture as module

    kept = []
    monkeypatch.setattr(module, "save_figure", lambda figure, _: kept.append(figure))
    candidates = [
        candidate(f"runs/model-{i}--numpy-int8", 80 + i, 0.79 + i % 3 / 500, 1.0) for i in range(9)
    ]
    plot_pareto(reference(), candidates, choose(candidates, LIMITS), LIMITS, tmp_path / "none.png")
    (figure,) = kept
    boxes = [text.get_window_extent() for text in figure.axes[0].texts]
    assert len(boxes) >= 3
    for number, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[:number])
    # The folder that all share is said by none, and the chosen one has its name.
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert all(text.startswith("model-") for text in texts)
    assert texts[0].split("\n")[0] == choose(candidates, LIMITS).chosen.run.removeprefix("runs/")


@pytest.mark.parametrize("n", [3, 12, 40])
def test_every_point_is_named_or_numbered_and_no_text_lies_on_another(tmp_path, monkeypatch, n):
    from quantize.search import picture as module

    kept = []
    monkeypatch.setattr(module, "save_figure", lambda figure, _: kept.append(figure))
    kinds = ("numpy-int8", "numpy-int4", "onnx-int8", "tflite-int8")
    many = [
        candidate(
            f"runs/model-{i // 4}--{kinds[i % 4]}",
            400 / 1.3 ** (i // 4) * (1 + 0.3 * (i % 4)),
            0.81 - 0.01 * (i // 4) + 0.002 * (i % 4),
            0.5 + i % 4,
        )
        for i in range(n)
    ]
    choice = choose(many, LIMITS)
    plot_pareto(reference(), many, choice, LIMITS, tmp_path / "none.png")
    texts = kept[0].axes[0].texts
    boxes = [text.get_window_extent() for text in texts]
    for number, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[:number])
    said = [text.get_text() for text in texts]
    assert len(said) == n
    ringed = choice.chosen or choice.nearest
    name = f"{ringed.run.removeprefix('runs/')}\n{ringed.kind}"
    if n == 40:
        # The numbers are those of the table.
        assert said[0] == f"{many.index(ringed) + 1}: {name}"
        assert {text.partition(":")[0] for text in said} == {str(i) for i in range(1, 41)}
        assert cells(many[7], 8)[:2] == ["8", many[7].run]
    else:
        assert said[0] == name


def test_a_picture_of_nothing_is_refused(tmp_path):
    with pytest.raises(ParameterError, match="at least one artifact"):
        plot_pareto(reference(), [], choose([], LIMITS), LIMITS, tmp_path / "x.png")


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-x", "'-x"),
        ("@SUM(1)", "'@SUM(1)"),
        (" =1", "' =1"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("tiny", "tiny"),
        (-1.5, "-1.5"),
        (-2, "-2"),
    ],
)
def test_cell_of_a_csv_file_is_no_formula(choice, tmp_path, value, cell):
    listed = json_entries(reference(), CANDIDATES, choice, [FAILED])
    listed[0]["run"] = value
    write_csv(tmp_path / "search.csv", listed)
    with open(tmp_path / "search.csv", newline="") as file:
        assert next(iter(csv.DictReader(file)))["run"] == cell
