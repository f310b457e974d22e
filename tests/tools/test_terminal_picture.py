"""The picture of a terminal shows what a person would have seen."""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

TOOLS = Path(__file__).resolve().parents[2] / "tools"


@pytest.fixture(autouse=True)
def _tools_on_path(monkeypatch):
    monkeypatch.syspath_prepend(str(TOOLS))


def shown(output, columns=40):
    from terminal_screen import Screen

    screen = Screen(columns)
    screen.feed(output)
    return ["".join(character for character, _ in row).rstrip() for row in screen.rows()]


def test_a_redrawn_line_shows_its_last_state():
    assert shown("first try\r\x1b[Ksecond\r\nnext") == ["second", "next"]
    assert shown("abcdef\rxy") == ["xycdef"]


def test_a_moved_cursor_overwrites_the_lines_above():
    assert shown("a\r\nb\r\n\x1b[2A\x1b[2KA\r\nB") == ["A", "B"]


def test_long_lines_wrap_and_empty_ends_are_dropped():
    assert shown("abcdef\r\n\r\n", columns=4) == ["abcd", "ef"]


def test_styles_follow_the_escape_sequences():
    from terminal_screen import Screen, Style

    screen = Screen(20)
    screen.feed("\x1b[1;31ma\x1b[22mb\x1b[38;5;238mc\x1b[38;2;1;2;255md\x1b[0me")
    assert [style for _, style in screen.rows()[0]] == [
        Style(foreground=1, bold=True),
        Style(foreground=1),
        Style(foreground=238),
        Style(foreground="#0102ff"),
        Style(),
    ]


def test_a_command_becomes_well_formed_svg(tmp_path, capsys):
    from render_terminal import main

    target = tmp_path / "docs" / "run.svg"
    code = "import sys; print('\\x1b[32m██▌\\x1b[0m <&> ' + str(sys.stdout.isatty())); sys.exit(3)"
    status = main(["--output", str(target), "--prompt", "run", "--", sys.executable, "-c", code])
    assert status == 3
    assert "status 3" in capsys.readouterr().out
    root = ET.parse(target).getroot()
    texts = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert texts == ["edge-ser", "$", "run", "<&> True"]
    assert list(tmp_path.rglob("*.part")) == []
