"""A parser that lets several folders follow ``--data`` and still finds what a command works on."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any, NoReturn

__all__ = ["Parser"]

_DATA = "--data"


class _RefusedError(Exception):
    """What argparse would have said."""


class Parser(argparse.ArgumentParser):
    """As argparse's own, but for ``evaluate --data ROOT RUN``.

    ``--data`` takes as many folders as follow, and so would take the RUN that stands behind it,
    too. Where a command misses what it works on, that is what stands behind the first ROOT.
    """

    _is_trying = False

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """Parse, a second time with the words in another order where the first one fails."""
        other = self._other_order(args)
        if other is None:
            return super().parse_known_args(args, namespace)
        self._is_trying = True
        try:
            return super().parse_known_args(args, namespace)
        except _RefusedError:
            self._is_trying = False
            return super().parse_known_args(other, namespace)
        finally:
            self._is_trying = False

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and end, unless there is another order to try."""
        if self._is_trying:
            raise _RefusedError(message)
        super().error(message)

    def _other_order(self, args: Sequence[str] | None) -> list[str] | None:
        """What follows the first ROOT of ``--data``, moved to the front; None: nothing does."""
        words = self._get_positional_actions()
        # A command's own parser knows its words; the one above knows the commands.
        if args is None or _DATA not in args or not words or words[0].dest == "command":
            return None
        first = list(args).index(_DATA) + 2
        end = next((i for i in range(first, len(args)) if args[i].startswith("-")), len(args))
        return [*args[first:end], *args[:first], *args[end:]] if first < end else None
