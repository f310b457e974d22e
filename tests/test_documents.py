"""What the documents show works: their Python runs, their commands parse, their words exist."""

from __future__ import annotations

import ast
import functools
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import yaml

import edge
import edge_ser
from edge.bundled import DEMO_CLIP

ROOT = Path(__file__).resolve().parent.parent
API, DEVICE = (ROOT / "docs" / f"{name}.md" for name in ("api", "device"))
README = ROOT / "README.md"
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


@pytest.mark.parametrize("document", [API, DEVICE], ids=lambda path: path.name)
def test_examples_run(document: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # What the page's example leaves to its reader.
    names: dict[str, object] = {"__name__": "example"}
    if document == DEVICE:
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


@pytest.mark.parametrize("document", [API, DEVICE], ids=lambda path: path.name)
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


def test_every_page_is_on_the_site() -> None:
    site = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    named: list[str] = []
    for entry in site["nav"]:
        (pages,) = entry.values()
        named += [pages] if isinstance(pages, str) else [p for page in pages for p in page.values()]
    assert sorted(named) == sorted(path.name for path in (ROOT / "docs").glob("*.md"))


def test_what_the_reference_shows_is_there() -> None:
    text = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
    named = re.findall(r"^::: (\S+)$", text, re.MULTILINE)
    assert len(named) > 10
    assert [name for name in named if not is_there(name)] == []


#: A module of ours, or a name in one, as words about the code have it.
OURS = re.compile(r"(?<![\w./-])(?:edge|quantize|benchmarks)(?:\.[A-Za-z_]\w*)+")
#: A room and a module of it, as the rooms call each other.
IN_A_ROOM = re.compile(r"``((?:{rooms})\.[a-z_]\w*)``".replace(
    "{rooms}", "|".join(sorted(p.name for p in (ROOT / "quantize").iterdir() if p.is_dir()))
))  # fmt: skip
#: Stands for any of them.
ANY_NAME = "NAME"


@functools.cache
def is_there(name: str) -> bool:
    """Whether a dotted name leads to a module of the tree, or to a word of one."""
    place, parts = ROOT, name.split(".")
    while parts and (place / parts[0]).is_dir():
        place /= parts.pop(0)
    if not parts or parts[0] == ANY_NAME:
        return True
    module = place / f"{parts[0]}.py"
    if module.is_file():
        parts.pop(0)
    else:
        module = place / "__init__.py"
    if not parts:
        return True
    text = module.read_text(encoding="utf-8") if module.is_file() else ""
    return re.search(rf"\b{parts[0]}\b", text) is not None


def words_of(path: Path) -> str:
    """What a module says in its docstrings and comments, or a document at all."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".md":
        return text
    holders = (ast.Module, ast.ClassDef, ast.FunctionDef)
    said = [ast.get_docstring(n) or "" for n in ast.walk(ast.parse(text)) if isinstance(n, holders)]
    return "\n".join([*said, *re.findall(r"#:? .*$", text, re.MULTILINE)])


def test_a_name_that_is_gone_is_found() -> None:
    assert is_there("quantize.runs.run.Run")
    assert is_there("edge.features")
    assert is_there(f"benchmarks.{ANY_NAME}")
    assert not is_there("quantize.baseline.features")
    assert not is_there("quantize.runs.earlier")
    assert not is_there("quantize.runs.run.Source")
    assert not is_there("benchmarks.scorecard.same_recipe")


@pytest.mark.parametrize("folder", ["edge", "quantize", "benchmarks", "tools", "docs", "tests"])
def test_modules_that_are_spoken_of_are_there(folder: str) -> None:
    paths = [p for p in (ROOT / folder).rglob("*.*") if p.suffix in (".py", ".md")]
    # What pip leaves behind when it installs from the folder.
    paths = [path for path in paths if "build" not in path.relative_to(ROOT).parts]
    if folder == "docs":
        paths += [README, ROOT / "CONTRIBUTING.md"]
    assert paths
    for path in paths:
        # What no line of the file speaks of, no docstring or comment in it does.
        if names_that_are_gone(path.read_text(encoding="utf-8"), folder):
            gone = names_that_are_gone(words_of(path), folder)
            assert not gone, f"{path.relative_to(ROOT)} speaks of {sorted(gone)}"


def names_that_are_gone(text: str, folder: str) -> set[str]:
    gone = {name for name in OURS.findall(text) if not is_there(name)}
    if folder == "quantize":
        gone |= {n for n in IN_A_ROOM.findall(text) if not is_there(f"quantize.{n}")}
    return gone
