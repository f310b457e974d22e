"""Help comes at once: no command's options need what computes."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import edge
from edge.jobs import run_in_order
from quantize.commands.main import _MODULES, build_parser, main

# What takes longer to import than all of a help may take. NumPy is not needed either.
HEAVY = ("torch", "onnx", "onnxruntime", "matplotlib", "pandas", "scipy", "pyarrow", "numpy",
         "safetensors", "distributed", "concurrent.futures", "multiprocessing",
         "quantize.data.corpora")  # fmt: skip

READ = """
import argparse, json, sys
{parser}
def helps(parser):
    yield parser.prog, parser.format_help()
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                yield from helps(command)
print(json.dumps([dict(helps(parser)), sorted(sys.modules)]))
"""
PARSERS = {
    "edge-ser-quantize": (
        "from quantize.commands.main import build_parser; parser = build_parser()"
    ),
    "edge-ser": "from edge.cli.main import _parser; parser = _parser()",
}


@pytest.mark.parametrize("program", PARSERS)
def test_the_help_of_every_command_needs_no_heavy_package(program):
    read = subprocess.run(
        [sys.executable, "-c", READ.format(parser=PARSERS[program])],
        capture_output=True,
        text=True,
        check=True,
    )
    helps, modules = json.loads(read.stdout)
    assert len(helps) > 5
    assert all(text.startswith("usage: ") for text in helps.values())
    assert not [name for name in HEAVY if name in modules]


def test_every_help_is_printed_with_its_defaults(capsys):
    for name in _MODULES:
        with pytest.raises(SystemExit, match="0"):
            main([name.replace("_", "-"), "--help"])
        out, err = capsys.readouterr()
        assert out.startswith(f"usage: edge-ser-quantize {name.replace('_', '-')}")
        assert "==SUPPRESS==" not in out
        assert not err


def test_the_version_is_that_of_the_package(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    assert capsys.readouterr().out == f"edge-ser-quantize {edge.__version__}\n"


@pytest.mark.parametrize("program", PARSERS)
def test_no_help_shows_what_is_only_argparses(program):
    read = subprocess.run(
        [sys.executable, "-c", READ.format(parser=PARSERS[program])],
        capture_output=True,
        text=True,
        check=True,
    )
    helps, _ = json.loads(read.stdout)
    odd = ("%%", "%(", "[--json ]", "--json []", "=None", "default: None")
    found = {prog: [o for o in odd if o in text] for prog, text in helps.items()}
    assert not {prog: what for prog, what in found.items() if what}


def test_an_unknown_option_names_the_help_of_its_command_and_the_option_that_is_near(capsys):
    assert main(["train", "--data", "x", "--out", "y", "--hiden", "8"]) == 2
    err = capsys.readouterr().err
    assert "there is an option --hidden" in err
    assert "`edge-ser-quantize train --help`" in err


@pytest.mark.parametrize("words", [["corpora", "."], ["evaluate", "run", "--data", "."]])
def test_a_machine_of_very_many_cores_has_a_default_that_is_allowed(words, monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 384)
    asked = build_parser().parse_args(words).workers
    assert list(run_in_order(abs, [], n_jobs=asked)) == []
