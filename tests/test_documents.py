"""What the documents show works: their Python runs, their commands parse, their words exist."""

from __future__ import annotations

import ast
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import edge
import edge_ser
from edge.bundled import DEMO_CLIP

ROOT = Path(__file__).resolve().parent.parent
API, README = ROOT / "docs" / "api.md", ROOT / "README.md"
#: First line of an example that cannot run everywhere; it is compiled.
UNRUN = "# needs a microphone"


def examples(document: Path) -> Iterator[tuple[int, str]]:
    """Give the Python blocks with the number of their first lines."""
    text = document.read_text(encoding="utf-8")
    for match in re.finditer(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        yield text.count("\n", 0, match.start(1)) + 1, match[1]


def compiled(document: Path, line: int, code: str) -> ast.Module:
    """Parse an example; an error names the document's line."""
    return ast.parse("\n" * (line - 1) + code, filename=document.name)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A current folder with `talk.wav`."""
    shutil.copy(DEMO_CLIP, tmp_path / "talk.wav")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("document", [API, README], ids=lambda path: path.name)
def test_examples_run(document: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # What the README's example leaves to its reader.
    names: dict[str, object] = {"__name__": "example"}
    if document is README:
        names["samples"] = np.zeros(88_200, np.float32)
        names["blocks"] = [np.zeros(4096, np.float32)] * 10
    n_run = 0
    for line, code in examples(document):
        tree = compiled(document, line, code)
        if not code.startswith(UNRUN):
            exec(compile(tree, document.name, "exec"), names)
            n_run += 1
    assert n_run > 0
    assert capsys.readouterr().err == ""
    assert [path.name for path in folder.iterdir()] == ["talk.wav"], "an example wrote a file"


@pytest.mark.parametrize("document", [API, README], ids=lambda path: path.name)
def test_names_in_examples_are_public(document: Path) -> None:
    used = {
        node.attr
        for line, code in examples(document)
        for node in ast.walk(compiled(document, line, code))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id in ("edge", "edge_ser")
    }
    assert used <= set(edge.__all__)


def test_every_public_name_is_documented() -> None:
    text = API.read_text(encoding="utf-8")
    words = set(re.findall(r"\w+", " ".join(re.findall(r"```.*?```|`[^`]+`", text, re.DOTALL))))
    missing = {name for name in edge_ser.__all__ if name not in words}
    # The base of them all is spelt with its module; a version needs no word.
    assert missing <= {"__version__"}


def test_a_link_in_a_document_leads_somewhere() -> None:
    for document in (README, *(ROOT / "docs").glob("*.md")):
        text = document.read_text(encoding="utf-8")
        for target in re.findall(r"\]\(([^)#:]+)\)", text):
            assert (document.parent / target).exists(), f"{document.name} links to {target}"
