"""Tables of docs/benchmarks.md, one function a kind of result."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

__all__ = ["arm64", "device", "figures", "footprint", "models", "repeatability", "streams"]

Result = Mapping[str, Any]


def table(head: Sequence[str], rows: Iterable[Sequence[object]], n_left: int = 1) -> str:
    """Lay out a Markdown table; columns behind the first ``n_left`` are numbers."""
    rules = ["---" if i < n_left else "--:" for i in range(len(head))]
    lines = [head, rules, *([_cell(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_cell, value))
    return str(value).replace("|", "\\|")


def _number(value: float) -> str:
    """Four digits that mean something, and no powers of ten."""
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def figures(result: Result) -> Iterator[str]:
    """Ratios with their bars, and the times behind them."""
    if result.get("ratios"):
        yield ratios(result["ratios"])
    if "paper_on_another_machine" in result:
        parts = result["paper_on_another_machine"].items()
        words = ", ".join(f"{value:g} ({name})" for name, value in parts)
        yield (
            f"The paper's {result['paper_ms']:g} ms, divided by ours: {words}. It was measured on "
            "another machine, so that this is no comparison."
        )
    if result.get("times_ms"):
        yield times(result["times_ms"])
    for name, why in (result.get("not_measured") or {}).items():
        yield f"`{name}` was not measured: {why}."


def ratios(rows: Iterable[Result]) -> str:
    """Give what was divided by what, with the interval and the bar."""
    return table(
        ("how many times", "median", "95 % interval", "bar", ""),
        ((row["what"], row["ratio"], " to ".join(map(_number, row["interval"])),
          _bar(row["bar"], row.get("at_least", True)), _met(row["met"])) for row in rows),
    )  # fmt: skip


def times(by_name: Mapping[str, Result]) -> str:
    """Give medians and their spread, the slowest first."""
    rows = sorted(by_name.values(), key=lambda row: -float(row["p50"]))
    return table(
        ("milliseconds", "n", "p50", "p25", "p75", "p99"),
        ([row["title"], row["n"], *(row.get(p) for p in ("p50", "p25", "p75", "p99"))]
         for row in rows),
    )  # fmt: skip


def _bar(bar: float | None, at_least: bool) -> str:
    return "" if bar is None else f"{'≥' if at_least else '≤'} {bar:g}"


def _met(met: bool | None) -> str:
    return {True: "met", False: "**not met**", None: ""}[met]


def footprint(result: Result) -> Iterator[str]:
    """Start, memory and size of each script, ratios and bars."""
    yield table(
        ("", "start to decision, ms", "p25 to p75", "resident, MB", "peak, MB", "unpacked, MB"),
        (
            (row["title"], row["cold_ms"]["p50"],
             f"{_number(row['cold_ms']['p25'])} to {_number(row['cold_ms']['p75'])}",
             row["rss_mb"]["p50"], row["peak_mb"]["p50"], row["installed"]["unpacked_mb"])
            for row in result["measured"].values()
        ),
    )  # fmt: skip
    yield ratios(result["ratios"])
    yield table(
        ("what", "measured", "bar", ""),
        ((row["what"], f"{_number(row['value'])} {row['unit']}", f"≤ {row['bar']:g} {row['unit']}",
          _met(row["met"])) for row in result["absolute"]),
    )  # fmt: skip


def models(result: Result) -> Iterator[str]:
    """Sizes, then times and ratios."""
    yield table(
        ("model", "weights", "parameters", "bytes"),
        ((name, row.get("weights", "trained"), row.get("parameters"), row["model_bytes"])
         for name, row in result["models"].items()), 2,
    )  # fmt: skip
    yield from figures(result)


def streams(result: Result) -> Iterator[str]:
    """Streams by mode, what a further one takes, and how hops scale."""
    yield table(
        ("", "measured", "bar", ""),
        ((name, row["measured"], row["bar"], _met(row["met"]))
         for name, row in result["bars"].items()),
    )  # fmt: skip
    yield table(
        ("model", "runtime", "mode", "streams", "p99 at that, ms", "kB a further stream"),
        (
            (row["model"], row["backend"], row["mode"], row["streams"], _p99(row),
             _kilo(row.get("bytes_a_further_stream")))
            for row in result["streams"]
        ), 3,
    )  # fmt: skip
    if result.get("decisions"):
        yield table(
            ("model", "runtime", "segment, s", "hop, s", "p50, ms", "p99, ms", "% of a core"),
            (
                (row["model"], row["backend"], row["segment_s"], row["hop_s"], row["p50_ms"],
                 row["p99_ms"], f"{100 * row['core_share']:.3g}")
                for row in result["decisions"]
            ), 2,
        )  # fmt: skip


def _p99(row: Result) -> object:
    return next((r["p99_ms"] for r in row["runs"] if r["n_streams"] == row["streams"]), None)


def _kilo(n_bytes: float | None) -> object:
    return None if n_bytes is None else f"{n_bytes / 1000:.0f}"


def arm64(result: Result) -> Iterator[str]:
    """Labels equal to this machine's, instructions by stage, and what they may take."""
    if result.get("labels"):
        yield table(
            ("processor", "artifact", "answered by", "clips", "labels equal",
             "largest difference of a posterior"),
            (
                (row["cpu"], row["name"],
                 ", ".join(f"{k} {v}" for k, v in row["packages"].items() if k != "python"),
                 row["n_clips"],
                 *((row["failure"], None) if "failure" in row
                   else (row["n_equal"], f"{row['largest_difference']:.1e}")))
                for row in result["labels"]
            ), 3,
        )  # fmt: skip
    if result.get("commands"):
        yield table(
            ("`classify --json` and `doctor`", "artifact", "what `doctor` found wrong",
             "its exit code", "clips", "labels equal"),
            (
                (row["cpu"], row["name"],
                 *((row["failure"], None, None, None) if "failure" in row else
                   ("; ".join(finding["sentence"] for finding in row["doctor"]) or "nothing",
                    row["doctor_exit_code"],
                    row["classify"]["n_clips"], row["classify"]["n_equal"])))
                for row in result["commands"]
            ), 3,
        )  # fmt: skip
    for cpu, every in (result.get("instructions") or {}).items():
        artifacts = {name: row for name, row in every.items() if "failure" not in row}
        stages = dict.fromkeys(s for row in artifacts.values() for s in row["instructions"])
        yield table(
            (f"million instructions, {cpu}", *artifacts),
            (
                (stage, *(_millions(row["instructions"].get(stage)) for row in artifacts.values()))
                for stage in stages
            ),
        )
    if result.get("estimates"):
        yield table(
            ("estimated, not measured", "artifact", "a hop, ms", "% of a core, live"),
            (
                (row["board"], row["artifact"], _range(row["ms"]["hop"]),
                 _range(row["live_percent"]))
                for row in result["estimates"]
            ), 2,
        )  # fmt: skip
    for key, value in (result.get("assumptions") or {}).items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            first, *others = value[0]
            yield table((f"assumed: {first}", *others), (list(each.values()) for each in value))
        else:
            yield f"Assumed, {key}: {_cell(value)}."
    if result.get("x86"):
        yield table(
            ("the same arithmetic here", "stage", "estimate / measured"),
            (
                (row["name"], stage, value)
                for row in result["x86"]
                for stage, value in row["estimate_to_measured"].items()
            ), 2,
        )  # fmt: skip


def _millions(n: float | None) -> object:
    return None if n is None else f"{n / 1e6:.2f}"


def _range(values: Iterable[float]) -> str:
    low, middle, high = values
    return f"{middle:.3g} ({low:.3g} to {high:.3g})"


def device(result: Result) -> Iterator[str]:
    """The report of the command itself, an artifact a row."""
    yield table(
        ("artifact", "runtime", "decision, ms", "p95", "segment, ms", "p95", "start, ms",
         "% of a core", "peak, MB", "model, kB"),
        (
            (each["artifact"]["name"], each["artifact"]["backend"],
             each["hop"]["whole_ms"]["p50"], each["hop"]["whole_ms"]["p95"],
             each["segment"]["whole_ms"]["p50"], each["segment"]["whole_ms"]["p95"],
             ((each.get("cold_start") or {}).get("total_ms") or {}).get("p50"),
             f"{100 * each['core_share']:.3g}", each["memory"]["peak_rss_mb"],
             f"{each['artifact']['model_bytes'] / 1000:.0f}")
            for each in result["artifacts"]
        ), 2,
    )  # fmt: skip
    state = result.get("state") or {}
    if state.get("valid") is False:
        yield f"This run does not count: {'; '.join(map(str, state.get('reasons') or []))}."


def repeatability(result: Result) -> Iterator[str]:
    """How many pairs agree."""
    yield (
        f"{result['n_agree']} of {result['n_pairs']} pairs agree in all figures "
        f"({', '.join(result['artifacts'])})."
    )
    yield table(
        ("pair", "figures", "pace", "half width of an interval, median", "beyond noise"),
        (
            (i + 1, pair["n_compared"], _pace(pair.get("pace_percent")),
             f"{pair['half_width_percent']} %", _beyond(pair["beyond_noise"]))
            for i, pair in enumerate(result["pairs"])
        ),
    )  # fmt: skip


def _pace(percent: float | None) -> str:
    return "not known" if percent is None else f"{percent:+.1f} %"


def _beyond(figures: Iterable[Result]) -> str:
    return ", ".join(f"{each['what']} {each['percent']:+.1f} %" for each in figures) or "none"
