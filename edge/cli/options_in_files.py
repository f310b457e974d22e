"""What a configuration file may say: the options of a parser, each as a key of TOML.

The keys and what they take follow from the parser, so that a new option is a key without a row
anywhere.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import re
from collections.abc import Sequence
from typing import Any

from edge.cli.toml_file import ConfigurationError
from edge.errors import printable, shown

__all__ = ["Option", "as_toml", "can_be_toml", "options_of"]

#: About files themselves, so that none may hold them, and what has tables of its own there.
_NO_KEYS = ("config", "print_config", "on")


class Option:
    """An option that a file may set.

    Parameters
    ----------
    action : argparse.Action
        Of the command's parser.
    """

    def __init__(self, action: argparse.Action) -> None:
        flags = [one for one in action.option_strings if one.startswith("--")]
        self.flag = flags[0] if flags else action.option_strings[0]
        self.key = self.flag.lstrip("-").replace("-", "_")
        self.dest = action.dest
        self.default = action.default
        self._action = action

    def value(self, got: Any) -> Any:
        """Give what the parser would make of it on the command line.

        Parameters
        ----------
        got : object
            As TOML has it: a flag is true or false, a number a number, what repeats or holds
            commas a list, and all else a string.

        Raises
        ------
        ConfigurationError
            If it is of another kind, or the option's own check refuses it; the sentence begins
            with the key.
        """
        action = self._action
        if action.nargs == 0:
            return self._flag(got)
        if action.nargs == "?" and got is True:
            return action.const
        repeats = isinstance(action, argparse._AppendAction | argparse._ExtendAction)
        if repeats or action.nargs not in (None, "?"):
            items = got if isinstance(got, list) else [got]
            return [self._one(item) for item in items]
        if isinstance(got, list):
            return self._joined(got)
        return self._one(got)

    def _flag(self, got: Any) -> Any:
        action = self._action
        if isinstance(action, argparse._CountAction):
            if isinstance(got, int) and not isinstance(got, bool) and got >= 0:
                return got
            raise self._refusal(got, "a whole number is wanted")
        if not isinstance(got, bool):
            raise self._refusal(got, "true or false is wanted")
        if action.const is None:  # on and off: --it and --no-it
            return got
        return action.const if got else action.default

    def _joined(self, got: list[Any]) -> Any:
        """Take a list for what the command line writes with commas."""
        texts = [str(one) for one in got if isinstance(one, str | int | float)]
        if len(texts) == len(got) and not any("," in text for text in texts):
            value = self._convert(",".join(texts), got)
            if isinstance(value, list | tuple | set | frozenset):
                return value
        raise self._refusal(got, "one value is wanted, not a list")

    def _one(self, got: Any) -> Any:
        if isinstance(got, bool) or not isinstance(got, str | int | float):
            raise self._refusal(got, f"{self._wanted()} is wanted")
        try:
            text = got if isinstance(got, str) else _spelt(got)
        except ValueError as error:  # more digits than Python writes
            raise self._refusal(got, f"{self._wanted()} is wanted") from error
        value = self._convert(text, got)
        is_number = isinstance(value, int | float)
        if is_number and isinstance(got, str):
            raise self._refusal(got, f"a number is wanted: {self.key} = {got.strip()}")
        if isinstance(value, str) and not isinstance(got, str):
            raise self._refusal(got, f"text in quotes is wanted: {self.key} = {as_toml(str(got))}")
        return value

    def _convert(self, text: str, got: Any) -> Any:
        action = self._action
        value: Any = text
        if callable(action.type):
            try:
                value = action.type(text)
            except argparse.ArgumentTypeError as error:
                raise ConfigurationError(f"{self.key}: {printable(str(error))}") from error
            except (TypeError, ValueError) as error:
                raise self._refusal(got, f"{self._wanted()} is wanted") from error
        if action.choices is not None and value not in action.choices:
            raise self._refusal(got, f"one of {', '.join(map(str, action.choices))} is wanted")
        return value

    def _wanted(self) -> str:
        if self._action.type in (int, float):
            return "a whole number" if self._action.type is int else "a number"
        metavar = self._action.metavar
        return metavar if isinstance(metavar, str) and metavar else self.key.upper()

    def _refusal(self, got: Any, wanted: str) -> ConfigurationError:
        value = str(got).lower() if isinstance(got, bool) else printable(shown(got))
        return ConfigurationError(f"{self.key} is {value}, {wanted}")


def options_of(actions: Sequence[argparse.Action]) -> dict[str, Option]:
    """Give the options that a file may set, by their keys, in the parser's order.

    An option under an old name, which no help shows, is none of them.
    """
    options = {}
    for action in actions:
        if not action.option_strings or action.help == argparse.SUPPRESS:
            continue
        if action.dest in _NO_KEYS or isinstance(
            action, argparse._HelpAction | argparse._VersionAction
        ):
            continue
        option = Option(action)
        options[option.key] = option
    return options


def as_toml(value: Any) -> str:
    """Write a value of an option as TOML.

    Parameters
    ----------
    value : object
        A flag, a number, text, a path, or a list of those.
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        # TOML wants a digit after the point, and before the e as well as behind it.
        return _spelt(value) if math.isfinite(value) else str(value)
    if isinstance(value, list | tuple | set | frozenset):
        items = sorted(value) if isinstance(value, set | frozenset) else value
        return f"[{', '.join(as_toml(one) for one in items)}]"
    text = os.fspath(value) if isinstance(value, os.PathLike) else str(value)
    # What JSON escapes TOML reads as well.  Beyond that, all that a terminal would obey.
    return _OBEYED.sub(_escaped, json.dumps(text, ensure_ascii=False))


def can_be_toml(text: str) -> bool:
    """Whether TOML holds a text: not a file's name that is no UTF-8."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


#: DEL and C1; line and paragraph separator; marks of direction.
_OBEYED = re.compile("[\x7f-\x9f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def _escaped(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"


def _spelt(value: float) -> str:
    return repr(value) if isinstance(value, float) else str(value)
