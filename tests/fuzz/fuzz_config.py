"""Configuration files of ``edge-ser listen``."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from fuzz.fuzz_toml import make_special, to_toml
from fuzz.mutate import mutate_json, mutate_text
from fuzz.target import Trial, UnsoundError

__all__ = ["ConfigTarget"]


class ConfigTarget:
    """Through the parser of the command; what is accepted must come out of the print as it was."""

    may_probe = False
    needs: tuple[str, ...] = ()
    has_short_road = False

    def prepare(self, seeds: Path) -> None:
        """Take the defaults of every option as the file to begin with."""
        from edge.cli.config import configure, print_config
        from edge.cli.main import _parser
        from edge.cli.toml_file import read_toml

        self._parser, self._configure, self._print = _parser(), configure, print_config
        self._text = self._print(configure(self._parse("/dev/null")))
        path = seeds / "config.toml"
        path.write_text(self._text, encoding="utf-8")
        self._tree = read_toml(str(path))
        self._tree["listen"].update(segment=1.5, hop=0.5, device="USB", duration=3)

    def draw(self, trial: Trial) -> Callable[[], None]:
        """Change the file, to read it."""
        rng, path = trial.rng, trial.folder / "config.toml"
        kind = rng.random()
        if kind < 0.6:
            text = to_toml(mutate_json(rng, self._tree))
            path.write_bytes(text.encode("utf-8", "surrogatepass"))
        elif kind < 0.97:
            path.write_bytes(mutate_text(rng, self._text))
        else:
            make_special(rng, path)
        return lambda: self._read(path)

    def _read(self, path: Path) -> None:
        configured = self._configure(self._parse(str(path)))
        printed = path.with_suffix(".printed.toml")
        printed.write_text(self._print(configured), encoding="utf-8")
        again = self._configure(self._parse(str(printed)))
        for dest, value in vars(configured.args).items():
            if dest not in ("config", "given", "words") and getattr(again.args, dest) != value:
                raise UnsoundError(f"{dest} was {value!r}, is {getattr(again.args, dest)!r}")

    def _parse(self, path: str) -> argparse.Namespace:
        return self._parser.parse_args(["listen", "--config", path])
