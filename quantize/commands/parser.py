"""A parser that lets several folders follow ``--data`` and still finds what a command works on."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NoReturn

from edge.cli.options import Parser
from edge.errors import EdgeSerError

__all__ = ["CommandParser"]

_DATA = "--data"


class CommandParser(Parser):
    """The options of one command; what is parsed also tells which were given.

    ``--data`` takes as many folders as follow, and so ``evaluate --data ROOT RUN`` would take the
    RUN that stands behind it, too. Where a command misses what it works on, that is what stands
    behind the first ROOT.
    """

    tells_given = True

    def __init__(self, *words: Any, **more: Any) -> None:
        # What stands in somebody's script means the same when options are added.
        super().__init__(*words, **{"allow_abbrev": False, **more})

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> tuple[Any, list[str]]:
        """Parse, a second time with the words in another order where the first one fails."""
        self._stated = [(action, action.default) for action in self._actions]
        other = self._other_order(args)
        try:
            parsed, rest = super().parse_known_args(args, namespace)
        except EdgeSerError:
            if other is None:
                raise
            parsed, rest = super().parse_known_args(other, namespace)
        for name, value in self._defaults.items():
            if not hasattr(parsed, name):
                setattr(parsed, name, value)
        return parsed, rest

    def format_help(self) -> str:
        """Tell the defaults, also while what is parsed is parsed without them."""
        now = [(action, action.default) for action in self._actions]
        try:
            for action, default in getattr(self, "_stated", now):
                action.default = default
            return super().format_help()
        finally:
            for action, default in now:
                action.default = default

    def error(self, message: str) -> NoReturn:
        """Raise, with an option's name where its sentence begins."""
        super().error(re.sub(r"^argument (?:-\w/)?(\S+): it is ", r"\1 is ", message))

    def _other_order(self, args: Sequence[str] | None) -> list[str] | None:
        """What follows the first ROOT of ``--data``, moved to the front; None: nothing does."""
        if args is None or _DATA not in args or not self._get_positional_actions():
            return None
        first = list(args).index(_DATA) + 2
        end = next((i for i in range(first, len(args)) if args[i].startswith("-")), len(args))
        return [*args[first:end], *args[:first], *args[end:]] if first < end else None
