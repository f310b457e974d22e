"""What an option takes from a TOML file, and what it gives back to one."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from edge.cli.config import Configured, add_config, configure, print_config
from edge.cli.main import _parser
from edge.cli.options import Parser, positive_s
from edge.cli.options_in_files import options_of
from edge.cli.toml_file import ConfigurationError


def listen(*words: str) -> Configured:
    return configure(_parser().parse_args(["listen", *words]))


def one_of(action: argparse.Action) -> list[str]:
    """Give words that an option takes on the command line, whatever it is."""
    if action.nargs == 0:
        return [action.option_strings[-1]]
    candidates = [
        *map(str, action.choices or ()),
        "2",
        "0.5",
        "auto",
        "mix",
        "16000",
        "s16le",
        *(["terminal"] if action.metavar == "SINK" else []),
        "x",
        "1:2",
    ]
    metavar = action.metavar if isinstance(action.metavar, str) else ""
    for text in [*candidates, *metavar.split("|"), *metavar.split(","), "angry,happy"]:
        try:
            if callable(action.type):
                action.type(text)
        except (argparse.ArgumentTypeError, ValueError, TypeError):
            continue
        return [f"{action.option_strings[-1]}={text}"]
    raise AssertionError(f"nothing is known that {action.option_strings} takes")


def every_option() -> dict[str, list[str]]:
    parser = _parser().parse_args(["listen"]).parser
    actions = {action.dest: action for action in parser.actions}
    return {o.key: one_of(actions[o.dest]) for o in options_of(parser.actions).values()}


@pytest.mark.parametrize("key", every_option())
def test_every_option_goes_through_a_file_and_back(key: str, write: Callable[..., str]) -> None:
    given = listen("--config", os.devnull, *every_option()[key])
    (dest,) = given.origins
    again = listen("--config", write(print_config(given)))
    assert getattr(again.args, dest) == getattr(given.args, dest)
    assert f"# {key} " not in print_config(given)


def labels(text: str) -> tuple[str, ...]:
    return tuple(text.split(","))


def toy() -> Parser:
    parser = Parser(prog="toy")
    parser.add_argument("--labels", type=labels)
    parser.add_argument("--also", action="append")
    parser.add_argument("--loud", action="count", default=0)
    parser.add_argument("--wave", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--pair", nargs=2, type=int)
    parser.add_argument("--kind", choices=("a", "b"), default="a")
    parser.add_argument("--n-rows", type=int, default=1)
    parser.add_argument("--where", type=Path)
    parser.add_argument("--length", type=positive_s, default="2.5")
    one = parser.add_mutually_exclusive_group()
    one.add_argument("--hot", action="store_true")
    one.add_argument("--cold", type=float)
    add_config(parser)
    return parser


def test_lists_counts_and_choices(write: Callable[..., str]) -> None:
    path = write(
        '[listen]\nlabels = ["x", "y"]\nalso = ["a", "b"]\nloud = 2\nwave = false\npair = [1, 2]\n'
        'kind = "b"\nn_rows = 3\nwhere = "/x"\ncold = 1\n'
    )
    got = configure(toy().parse_args(["--config", path]))
    want = {
        "labels": ("x", "y"), "also": ["a", "b"], "loud": 2, "wave": False, "pair": [1, 2],
        "kind": "b", "n_rows": 3, "where": Path("/x"), "length": 2.5, "hot": False, "cold": 1.0,
    }  # fmt: skip
    assert {dest: getattr(got.args, dest) for dest in want} == want
    again = configure(toy().parse_args(["--config", write(print_config(got), "again.toml")]))
    assert {dest: getattr(again.args, dest) for dest in want} == want
    over = configure(toy().parse_args(["--config", path, "--also", "c", "--wave", "--hot"]))
    # Of options that exclude each other the stronger hand's counts.
    assert (over.args.also, over.args.wave) == (["c"], True)
    assert (over.args.hot, over.args.cold) == (True, None)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [("kind = 'c'", "kind is 'c', one of a, b is wanted"),
     ("n_rows = 1.5", "n_rows is 1.5, a whole number is wanted"),
     ("loud = true", "loud is true, a whole number is wanted"),
     ("hot = true\ncold = 2", "exclude each other"),
     ("wave = 3", "wave is 3, true or false is wanted"),
     ("also = [1]", 'also is 1, text in quotes is wanted: also = "1"')],
)  # fmt: skip
def test_a_value_that_the_option_refuses(
    line: str, sentence: str, write: Callable[..., str]
) -> None:
    with pytest.raises(ConfigurationError, match=sentence):
        configure(toy().parse_args(["--config", write(f"[listen]\n{line}\n")]))
