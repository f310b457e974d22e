"""Pictures: whole PNGs with named axes, and nothing global touched."""

from __future__ import annotations

import sys
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure

from edge.errors import MissingDependencyError, ParameterError
from quantize.measure import pictures as report

LABELS = ("happy", "sad", "angry")
MATRIX = [[40, 8, 2], [0, 9, 1], [0, 0, 0]]
HISTORY = [
    {"epoch": i, "train_loss": 2 / i, "val_loss": 2.2 / i, "train_accuracy": 1 - 1 / (i + 1)}
    for i in range(1, 6)
]


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """Every figure that is saved, so that a test can look at what is on it."""
    figures: list[Figure] = []
    savefig = Figure.savefig

    def keep(self: Figure, *args: object, **options: object) -> None:
        figures.append(self)
        savefig(self, *args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(Figure, "savefig", keep)
    return figures


def check_png(path: Path) -> None:
    data = path.read_bytes()
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    assert data.endswith(b"IEND\xaeB`\x82")
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_curves_show_both_sides_of_both_panels(tmp_path: Path, drawn: list[Figure]) -> None:
    report.plot_curves(HISTORY, tmp_path / "curves.png", title="a run", best_epoch=4)
    check_png(tmp_path / "curves.png")
    [figure] = drawn
    loss, accuracy = figure.axes
    assert (loss.get_xlabel(), loss.get_ylabel()) == ("Epoch", "Loss")
    assert accuracy.get_ylabel() == "Accuracy (%)"
    names = [text.get_text() for text in loss.get_legend().get_texts()]
    assert names == ["training", "validation", "kept epoch"]
    # No epoch has val_accuracy: that curve is left out.
    names = [text.get_text() for text in accuracy.get_legend().get_texts()]
    assert names == ["training", "kept epoch"]
    np.testing.assert_allclose(accuracy.lines[0].get_ydata()[-1], 100 * (1 - 1 / 6))
    assert figure.get_suptitle() == "a run"


def test_curves_of_one_epoch_or_one_quantity(tmp_path: Path, drawn: list[Figure]) -> None:
    report.plot_curves([{"val_loss": 1.5}], tmp_path / "curves.png")
    check_png(tmp_path / "curves.png")
    [axes] = drawn[0].axes
    assert axes.lines[0].get_xydata().tolist() == [[1, 1.5]]


def test_curves_known_at_some_epochs_only(tmp_path: Path, drawn: list[Figure]) -> None:
    history = [dict(epoch) for epoch in HISTORY]
    history[1]["test_accuracy"], history[4]["test_accuracy"] = 0.5, 0.75
    report.plot_curves(history, tmp_path / "curves.png")
    line = drawn[0].axes[1].lines[1]
    assert (line.get_label(), line.get_xydata().tolist()) == (
        "test (decides nothing)",
        [[2, 50], [5, 75]],
    )


@pytest.mark.parametrize("history", [[], [{"epoch": 1, "learning_rate": 0.1}]])
def test_curves_of_nothing_are_refused(tmp_path: Path, history: list[dict[str, float]]) -> None:
    with pytest.raises(ParameterError, match="history must hold epochs with a loss or accuracy"):
        report.plot_curves(history, tmp_path / "curves.png")
    assert list(tmp_path.iterdir()) == []


def test_confusion_shows_shares_and_counts(tmp_path: Path, drawn: list[Figure]) -> None:
    report.plot_confusion(MATRIX, LABELS, tmp_path / "confusion.png", title="paper-s0")
    check_png(tmp_path / "confusion.png")
    axes = drawn[0].axes[0]
    assert [text.get_text() for text in axes.texts] == [
        "80 %\n40", "16 %\n8", "4 %\n2", "90 %\n9", "10 %\n1",
    ]  # fmt: skip
    assert axes.texts[2].get_position() == (2, 0)
    assert [label.get_text() for label in axes.get_xticklabels()] == list(LABELS)
    ticks = [label.get_text() for label in axes.get_yticklabels()]
    assert ticks == ["happy (50)", "sad (10)", "angry (0)"]
    assert axes.get_xlabel() == "Predicted emotion"
    assert axes.get_title() == "paper-s0"


def test_class_accuracy_shows_recall_its_interval_and_the_mean(
    tmp_path: Path, drawn: list[Figure]
) -> None:
    report.plot_class_accuracy(MATRIX, LABELS, tmp_path / "classes.png")
    check_png(tmp_path / "classes.png")
    [axes] = drawn[0].axes
    assert [bar.get_height() for bar in axes.patches] == pytest.approx([80, 90])
    assert [label.get_text() for label in axes.get_xticklabels()] == ["happy\n(50)", "sad\n(10)"]
    assert axes.get_legend().get_texts()[0].get_text() == "mean (UAR) 85.0 %"
    [whiskers] = axes.containers[1].lines[2]
    # Wilson's interval of 9 in 10: (0.9 + 0.19208 -+ 1.96 sqrt(0.009 + 0.009604)) / 1.38416
    assert whiskers.get_segments()[1][:, 1] == pytest.approx([59.58, 98.21], abs=0.02)


def test_bars_at_both_ends_are_drawn(tmp_path: Path) -> None:
    report.plot_class_accuracy([[0, 5], [0, 3]], ("a", "b"), tmp_path / "classes.png")
    check_png(tmp_path / "classes.png")


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        ([[1, 2], [3, 4]], r"matrix must be 3 x 3 for the 3 labels, got the shape \(2, 2\)"),
        (np.full((3, 3), 0.5), "whole numbers"),
        (-np.eye(3, dtype=int), "whole numbers"),
    ],
)
def test_matrices_that_do_not_fit_are_refused(tmp_path: Path, matrix: object, message: str) -> None:
    for plot in (report.plot_confusion, report.plot_class_accuracy):
        with pytest.raises(ParameterError, match=message):
            plot(matrix, LABELS, tmp_path / "picture.png")  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="at least one clip, got all zeros"):
        report.plot_class_accuracy(np.zeros((3, 3), int), LABELS, tmp_path / "picture.png")
    assert list(tmp_path.iterdir()) == []


def test_nothing_global_is_touched(tmp_path: Path) -> None:
    settings, backend = dict(mpl.rcParams), mpl.rcParams._get_backend_or_none()
    loaded = "matplotlib.pyplot" in sys.modules
    report.plot_curves(HISTORY, tmp_path / "curves.png")
    report.plot_confusion(MATRIX, LABELS, tmp_path / "confusion.png")
    assert dict(mpl.rcParams) == settings
    assert mpl.rcParams._get_backend_or_none() == backend
    assert ("matplotlib.pyplot" in sys.modules) == loaded


def test_a_failing_drawing_leaves_the_old_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "curves.png"
    path.write_bytes(b"old")

    def fail(_self: Figure, target: Path, **_options: object) -> None:
        Path(target).write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Figure, "savefig", fail)
    with pytest.raises(OSError, match="No space left"):
        report.plot_curves(HISTORY, path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_without_matplotlib_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingDependencyError, match=r"pip install matplotlib$"):
        report.plot_curves(HISTORY, tmp_path / "curves.png")


@pytest.mark.parametrize("n_labels", [2, 30])
def test_few_and_many_classes_fit_a_page(tmp_path, n_labels):
    labels = [f"label-{n}" for n in range(n_labels)]
    matrix = np.diag(np.full(n_labels, 40)) + 1
    report.plot_confusion(matrix, labels, tmp_path / "confusion.png", title="paper-s0, torch")
    report.plot_class_accuracy(matrix, labels, tmp_path / "accuracy.png", title="paper-s0, torch")
    for name in ("confusion.png", "accuracy.png"):
        head = (tmp_path / name).read_bytes()[:24]
        width, height = (int.from_bytes(head[at : at + 4], "big") for at in (16, 20))
        # At 150 dots an inch: room for a heading, and no more than a large screen.
        assert 500 < width < 2600
        assert 400 < height < 2100
