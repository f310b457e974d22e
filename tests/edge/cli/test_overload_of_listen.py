"""``edge-ser listen`` leaves hops out behind a source that does not wait."""

from __future__ import annotations

import sys
import time
import types
from collections.abc import Iterator

import pytest
from runtime_fakes import records, voice

from edge.artifact import Artifact
from edge.cli.main import main
from edge.sources.base import Block, SourceSettings, Stop
from edge.sources.registry import SOURCES, SourceRow

CLIP = voice(160_000)


class Late:
    """Ten seconds of sound; five of them are there already when the first is read."""

    name, waited_s, waits = "late", 0.0, False

    def blocks(self, stop: Stop) -> Iterator[Block]:
        for start in range(0, CLIP.size, 512):
            behind_s = max(0.0, 5.0 - (start + 512) / 16_000)
            arrived_s = time.perf_counter() - behind_s
            yield Block(CLIP[start : start + 512], arrived_s, self.waits)


class Waiting(Late):
    waits = True


@pytest.mark.parametrize("kind", [Late, Waiting])
def test_hops_are_skipped_and_told(
    kind: type[Late],
    tiny_artifact: Artifact,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def open_source(settings: SourceSettings) -> Late:
        return kind()

    toy = types.ModuleType("toy_late")
    toy.open_source = open_source  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "toy_late", toy)
    monkeypatch.setitem(SOURCES, "toy", SourceRow("toy", "toy_late", is_paced=True))
    model = ["--artifact", str(tiny_artifact.path), "--backend", "numpy"]
    assert main(["listen", "--source", "toy", "--json", *model]) == 0
    captured = capsys.readouterr()
    *decisions, summary = records(captured.out)
    # Of 17 that are due, the 5 whose segments end half a second and more before that.
    wanted = 5 if kind is Late else 0
    assert sum(each["skipped_hops"] for each in decisions) == summary["skipped_hops"] == wanted
    assert decisions[0]["skipped_hops"] == wanted
    assert summary["decisions"] == 17 - wanted
    assert ("5 hops skipped" in captured.err) == (kind is Late)
