"""Tables line up in every script, and pictures say nothing of fonts."""

from __future__ import annotations

import warnings

from quantize.basics.pictures import new_figure, save_figure
from quantize.basics.tables import aligned


def test_columns_line_up_under_labels_of_any_script():
    lines = aligned([["label", "clips"], ["怒り", "24"], ["mu\u0308de", "7"]])
    assert lines == ["label  clips", "怒り      24", "mu\u0308de       7"]


def test_a_picture_takes_labels_in_any_script_and_with_any_character(tmp_path):
    figure = new_figure(3, 3)
    axes = figure.add_subplot()
    axes.set_title("怒り")
    axes.plot([1, 100], [1, 2], label=r"$\sqrt$")
    axes.set_xscale("log")
    axes.set_yticks([1, 2], [r"a $\frac$ b", "c_^{$d$"])
    axes.legend()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        save_figure(figure, tmp_path / "picture.png")
    assert (tmp_path / "picture.png").stat().st_size > 0
