"""docs/benchmarks.md is what its generator makes of the results."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from made_reports import measured, report

from benchmarks.page import main, read, render

ROOT = Path(__file__).resolve().parents[2]
RATIO = {"what": "steady: theirs / ours", "ratio": 20.5, "interval": [19.0, 22.0], "bar": 15.0,
         "at_least": True, "met": True}  # fmt: skip
TIMES = {"title": "ours", "n": 9, "p25": 1.0, "p50": 1.5, "p75": 2.0, "p99": 40_000.0}
ABOUT = {
    "command": "python -m benchmarks.made_up", "commit": "0123456789abcdef", "modified": False,
    "machine": report()["machine"],
}  # fmt: skip
RESULTS: dict[str, dict[str, Any]] = {
    "pipeline": {
        **ABOUT, "ratios": [RATIO], "times_ms": {"ours": TIMES}, "paper_ms": 130.0,
        "paper_on_another_machine": {"steady": 43.0}, "not_measured": {"tflite": "not here"},
    },
    "footprint": {
        **ABOUT, "ratios": [{**RATIO, "bar": None, "met": None}],
        "measured": {"ours": {"title": "ours", "cold_ms": TIMES, "rss_mb": TIMES,
                              "peak_mb": TIMES, "installed": {"unpacked_mb": 48.0}}},
        "absolute": [{"what": "cold start", "value": 0.31, "unit": "s", "bar": 0.3, "met": False}],
    },
    "streams": {
        **ABOUT, "bars": {"streams, tiny": {"measured": 1100, "bar": 1000, "met": True}},
        "streams": [{"model": "tiny", "backend": "numpy", "mode": "loop", "streams": 1100,
                     "bytes_a_further_stream": 250_000,
                     "runs": [{"n_streams": 1100, "p99_ms": 400.0}]}],
        "decisions": [{"model": "tiny", "backend": "numpy", "segment_s": 2.0, "hop_s": 0.5,
                       "p50_ms": 1.1, "p99_ms": 2.2, "core_share": 0.0022}],
    },
    "features_peers": {**ABOUT, "ratios": [RATIO], "times_ms": {"ours": TIMES}},
    "model_peers": {
        **ABOUT, "ratios": [RATIO], "times_ms": {"ours": TIMES},
        "models": {"wav2small": {"parameters": 72_000, "model_bytes": 90_000, "weights": "random"}},
    },
    "arm64": {
        **ABOUT,
        "labels": [{"cpu": "cortex-a53", "name": "tiny", "packages": {"numpy": "2.4.6"},
                    "n_clips": 50, "n_equal": 50, "largest_difference": 1e-6}],
        "instructions": {"cortex-a53": {"tiny": {"instructions": {"hop": 7_800_000}}}},
        "assumptions": {"formula": "instructions / (IPC x clock)",
                        "cores": [{"core": "cortex-a53", "width": 2, "ipc": [0.5, 1.0]}]},
        "estimates": [{"board": "Pi 3", "artifact": "tiny", "ms": {"hop": [5.0, 8.0, 11.0]},
                       "live_percent": [1.0, 1.6, 2.2]}],
        "x86": [{"name": "tiny", "estimate_to_measured": {"model": 1.1}}],
    },
    "device": {**ABOUT, **report(measured("a", 1))},
    "repeatability": {
        **ABOUT, "artifacts": ["a on numpy"], "n_agree": 1, "n_pairs": 2,
        "pairs": [{"agree": True, "n_compared": 28, "beyond_noise": [], "half_width_percent": 2.0},
                  {"agree": False, "n_compared": 28, "half_width_percent": 1.0,
                   "beyond_noise": [{"artifact": "a", "what": "hop: whole", "percent": 3.0}]}],
    },
}  # fmt: skip


def test_the_page_is_what_the_generator_makes() -> None:
    page = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    assert page == render(read(ROOT / "benchmarks" / "results")), "make benchmarks-page"


def test_every_result_has_its_table_command_commit_and_machine() -> None:
    page = render(RESULTS)
    assert "Not measured yet" not in page
    assert page.count("`python -m benchmarks.made_up`") == len(RESULTS)
    assert page.count("commit `0123456789ab`; Raspberry Pi 4 Model B") == len(RESULTS)
    assert "| steady: theirs / ours | 20.5 | 19 to 22 | ≥ 15 | met |" in page
    assert "| cold start | 0.31 s | ≤ 0.3 s | **not met** |" in page
    assert "| ours | 9 | 1.5 | 1 | 2 | 40000 |" in page
    assert "| tiny | numpy | loop | 1100 | 400 | 250 |" in page
    assert "| Pi 3 | tiny | 8 (5 to 11) | 1.6 (1 to 2.2) |" in page
    assert "| assumed: core | width | ipc |" in page
    assert "| cortex-a53 | 2 | 0.5, 1 |" in page
    assert "1 of 2 pairs agree" in page
    for block in page.split("\n\n"):
        lines = block.splitlines()
        if lines[0].startswith("|"):
            assert len({line.count(" | ") for line in lines}) == 1, block


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    (tmp_path / "pipeline.json").write_text(json.dumps(RESULTS["pipeline"]))
    assert main(["--results", str(tmp_path), "--output", str(tmp_path / "page.md")]) == 0
    page = (tmp_path / "page.md").read_text()
    assert "## Not measured yet" in page
    assert "`streams.json`" in page
    assert "`pipeline.json`," not in page


def test_a_result_that_is_cut_off_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "pipeline.json").write_text('{"benchmark": ')
    assert main(["--results", str(tmp_path), "--output", str(tmp_path / "page.md")]) == 2
    assert "pipeline.json is no JSON" in capsys.readouterr().err
