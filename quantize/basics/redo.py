"""Commands that a reader of a card or a report can run again, wherever their folders lie.

A machine's paths mean nothing elsewhere, so folders stand in them as variables of the shell,
which :func:`explained` names.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Sequence
from pathlib import Path

__all__ = [
    "as_called_now",
    "corpora_words",
    "explained",
    "runs_words",
    "shell_lines",
    "shell_text",
    "sounds_words",
]

_RUNS, _CORPORA, _SOUNDS = "$RUNS", "$CORPORA", "$SOUNDS"
_MEANING = {
    "CORPORA": "the folder of the corpora",
    "RUNS": "the folder that the runs lie in",
    "SOUNDS": "the folder of everyday sounds",
}
_VARIABLE = r"RUNS|(?:CORPORA|SOUNDS)(?:_\d+)?"
# A word of the shell, with what is in quotes.
_WORD = re.compile(r"""(?:[^\s"']|"[^"]*"|'[^']*')+""")
_WIDTH = 80


def runs_words(runs: Sequence[Path]) -> list[str]:
    """Words that name run folders below ``$RUNS``, the folder that all of them lie in."""
    folders = [run.resolve() for run in runs]
    top = Path(os.path.commonpath([folder.parent for folder in folders]))
    return [f"{_RUNS}/{folder.relative_to(top).as_posix()}" for folder in folders]


def corpora_words(n_roots: int = 1) -> list[str]:
    """Words of ``--data``: ``$CORPORA``, or ``$CORPORA_1`` and so on."""
    return ["--data", *_numbered(_CORPORA, n_roots)]


def sounds_words(n_roots: int) -> list[str]:
    """Words of ``--sounds``: ``$SOUNDS``, or ``$SOUNDS_1`` and so on; none for no folder."""
    return ["--sounds", *_numbered(_SOUNDS, n_roots)] if n_roots else []


def _numbered(variable: str, n: int) -> list[str]:
    if n == 1:
        return [variable]
    return [f"{variable}_{number}" for number in range(1, n + 1)]


def shell_text(words: Sequence[str]) -> str:
    """Words as a shell takes them, with the variables in quotes that let them have spaces."""
    return " ".join(map(_quoted, words))


def _quoted(word: str) -> str:
    found = re.fullmatch(rf"(\$(?:{_VARIABLE}))(/.*)?", word, re.DOTALL)
    if found is None:
        return shlex.quote(word)
    variable, rest = found.groups()
    return f'"{variable}"' + (shlex.quote(rest) if rest else "")


def explained(commands: Sequence[str]) -> str:
    """Say where some commands are run and what their variables are: the end of "Commands"."""
    text = "\n".join(commands)
    names = sorted(set(re.findall(rf"\$({_VARIABLE})\b", text)))
    told = ", in a checkout of edge-ser" if "python -m benchmarks." in text else ""
    words = [f"`{name}` is {_MEANING.get(name, 'a folder of recordings')}" for name in names]
    return told + (", where " + " and ".join(words) if words else "")


def as_called_now(command: str) -> str:
    """A command that an older manifest names, with today's words and variables."""
    command = command.replace("edge-ser-quantize scorecard", "python -m benchmarks.scorecard")
    command = re.sub(r"--data CORPORA\b", f'--data "{_CORPORA}"', command)
    return re.sub(r"(?<= )runs/", f'"{_RUNS}"/', command)


def shell_lines(command: str) -> list[str]:
    """A command as lines of a Markdown block that a shell takes as they are."""
    lines: list[str] = []
    for word in _WORD.findall(command):
        if lines and len(lines[-1]) + 1 + len(word) <= _WIDTH:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return ("    " + " \\\n      ".join(lines)).split("\n")
