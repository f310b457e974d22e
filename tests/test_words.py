"""Names and options use the words of docs/architecture.md, and each word means one thing."""

from __future__ import annotations

import argparse
import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.cli.main import _parser

ROOT = Path(__file__).resolve().parent.parent
GLOSSARY = ROOT / "docs" / "architecture.md"
MODULES = sorted((ROOT / "edge").rglob("*.py")) + sorted((ROOT / "edge_ser").glob("*.py"))
#: What is counted in a unit: never the last part of a name.
QUANTITIES = {
    "cutoff", "deadline", "delay", "duration", "elapsed", "freq", "frequency", "gain", "interval",
    "latency", "level", "loudness", "period", "timeout", "wait", "waited",
}  # fmt: skip
#: Words of the glossary's left side that would be missed in a person's text as well.
UNSAID = re.compile(r"(?<![-\w])(languages?|chunks?|confidence|utterances?|frameworks?)(?![-\w])")


def refused() -> dict[str, str]:
    """Read the glossary's table: every word on the left, with what to say instead."""
    section = GLOSSARY.read_text(encoding="utf-8").partition("### In names")[2]
    rows = re.findall(r"^\| (`.*?) \| (.*?) \|$", section, re.MULTILINE)
    return {word: instead for left, instead in rows for word in re.findall(r"`(\w+)`", left)}


def public(name: str) -> bool:
    return not name.startswith("_")


def old_names(function: ast.AST) -> set[str]:
    """Parameters that work for one more version: what `renamed` is told of, or passed on to it."""
    return {
        argument.value
        for call in ast.walk(function)
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "renamed"
        for argument in call.args
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    }


def targets(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, ast.Assign):
        return node.targets
    return [node.target] if isinstance(node, ast.AnnAssign) else []


def names_in(body: list[ast.stmt], *, in_class: bool = False) -> Iterator[tuple[str, int]]:
    """Give the public names of a module or class, each with its line."""
    for node in body:
        if isinstance(node, ast.ClassDef) and public(node.name):
            yield node.name, node.lineno
            yield from names_in(node.body, in_class=True)
        elif isinstance(node, ast.FunctionDef):
            if public(node.name) or node.name == "__init__":
                yield node.name.strip("_"), node.lineno
                arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
                old = old_names(node)
                yield from (
                    (a.arg, a.lineno) for a in arguments if public(a.arg) and a.arg not in old
                )
            if in_class:
                yield from attributes_of(node)
            if node.name == "to_dict":
                yield from keys_of(node)
        else:
            for target in targets(node):
                if isinstance(target, ast.Name) and public(target.id):
                    yield target.id, node.lineno


def attributes_of(function: ast.FunctionDef) -> Iterator[tuple[str, int]]:
    for node in ast.walk(function):
        for target in targets(node):
            for part in ast.walk(target):
                if (
                    isinstance(part, ast.Attribute)
                    and getattr(part.value, "id", "") == "self"
                    and public(part.attr)
                ):
                    yield part.attr, part.lineno


def keys_of(function: ast.FunctionDef) -> Iterator[tuple[str, int]]:
    for node in ast.walk(function):
        for key in node.keys if isinstance(node, ast.Dict) else ():
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                yield key.value, key.lineno


def objections(name: str, room: str, words: dict[str, str]) -> Iterator[str]:
    """Say what is wrong with a name."""
    parts = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower().split("_")
    for word, instead in words.items():
        if (name.lower() == word) if "_" in word else (word in parts):
            yield f"{word!r}: {instead}"
    if parts[-1] in QUANTITIES and len(parts) > 1 and not name.isupper():
        yield f"{parts[-1]!r} has a unit"
    if room in ("audio", "sources") and {"frame", "frames"} & set(parts) and "pcm" not in parts:
        yield "a PCM frame has pcm in its name"


def commands(parser: argparse.ArgumentParser) -> Iterator[tuple[str, argparse.Action]]:
    """Give every option of every command."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                yield from commands(command)
        elif not isinstance(action, argparse._HelpAction):
            yield parser.prog, action


def parsers() -> list[argparse.ArgumentParser]:
    found = [_parser()]
    try:
        from quantize.commands.main import build_parser
    except ModuleNotFoundError:
        return found
    return [*found, build_parser()]


def test_the_glossary_is_read() -> None:
    words = refused()
    assert len(words) > 25
    assert {"language", "window_s", "sr", "chunk", "seconds"} <= set(words)


@pytest.mark.parametrize(
    ("name", "room"),
    [("default_language", "artifact"), ("window_s", "stream"), ("LanguageTable", "models"),
     ("poll_timeout", "stream"), ("n_frames", "audio"), ("sr", "features")],
)  # fmt: skip
def test_a_wrong_name_is_found(name: str, room: str) -> None:
    assert list(objections(name, room, refused()))


@pytest.mark.parametrize(
    ("name", "room"),
    [("default_corpus", "artifact"), ("window_frames", "stream"), ("timeout_s", "stream"),
     ("n_pcm_frames", "audio"), ("n_frames", "features"), ("sample_rate", "features")],
)  # fmt: skip
def test_a_right_name_is_not(name: str, room: str) -> None:
    assert list(objections(name, room, refused())) == []


def test_public_names_use_the_glossary() -> None:
    words = refused()
    found = {
        f"{path.relative_to(ROOT)}:{line}: {name}: {objection}"
        for path in MODULES
        for name, line in names_in(ast.parse(path.read_text(encoding="utf-8")).body)
        for objection in objections(name, path.relative_to(ROOT).parts[1], words)
    }
    assert found == set()


def test_the_workstation_calls_rounding_by_its_name() -> None:
    for path in sorted((ROOT / "quantize").rglob("*.py")):
        assert "ptq" not in path.name
        body = ast.parse(path.read_text(encoding="utf-8")).body
        found = [name for name, _ in names_in(body) if "ptq" in name.lower()]
        assert not found, f"{path}: {found}"


def is_excepted(option: str, program: str, instead: str) -> bool:
    """Whether the glossary names this option of this command as one that may have the word."""
    return f"the option `{option}` of `{program.rpartition(' ')[2]}`" in instead


def test_an_excepted_option_is_that_of_one_command_alone() -> None:
    instead = refused()["bundle"]
    assert is_excepted("--bundle", "edge-ser doctor", instead)
    assert not is_excepted("--bundle", "edge-ser listen", instead)
    assert not is_excepted("--checkpoint", "edge-ser doctor", instead)


def test_options_use_the_glossary() -> None:
    words = refused()
    found = set()
    for parser in parsers():
        for program, action in commands(parser):
            if action.help == argparse.SUPPRESS:
                continue  # An old name.
            for option in action.option_strings:
                parts = set(option.strip("-").split("-"))
                found |= {
                    f"{program} {option}: {words[word]}"
                    for word in parts & set(words)
                    if not is_excepted(option, program, words[word])
                }
            said = UNSAID.findall(action.help or "")
            if action.dest == "float_layers":
                # Lists layers, which are called what the weights of old files are called.
                said = []
            if "edge-ser-quantize" in program:
                # The protocol of that name scores whole clips.
                said = [word for word in said if not word.startswith("utterance")]
            found |= {f"{program} {action.dest}: its help says {word}" for word in said}
    assert found == set()


def test_json_is_a_flag_and_output_names_a_file() -> None:
    for parser in parsers():
        for program, action in commands(parser):
            if "--json" in action.option_strings:
                # With "?" a file behind it is the old spelling of --output.
                assert action.nargs in (0, "?"), program
                assert action.default is False, program
            if "--output" in action.option_strings:
                assert (action.nargs, action.metavar) == (None, "FILE"), program


def test_an_option_of_two_commands_means_the_same() -> None:
    """Of the device's: the same name takes the same kind of value."""
    forms: dict[str, set[tuple[object, ...]]] = {}
    for _, action in commands(_parser()):
        for option in action.option_strings:
            if option != "--json":
                forms.setdefault(option, set()).add((action.nargs, action.metavar, action.type))
    assert {option: found for option, found in forms.items() if len(found) > 1} == {}
