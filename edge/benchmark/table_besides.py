"""Lines of the table on the board's state and pace, listening, the label that stays, minutes."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from edge.benchmark.stored import artifacts_of, name_of
from edge.errors import printable

__all__ = ["besides"]


def besides(report: Mapping[str, Any]) -> Iterator[str]:
    """Say what state the board was in, and what came of each artifact.

    A block of a stored report that is not as it should be is left out.
    """
    yield from _whole(_state, report.get("state"))
    measured = artifacts_of(report)
    yield from _whole(_pace, {name_of(each): each.get("pace") for each in measured})
    for each in measured:
        lines = [
            line
            for key, tell in (
                ("live", _live), ("stable_label", _stable_label), ("sustained", _sustained)
            )
            for line in _whole(tell, each.get(key))
        ]  # fmt: skip
        if lines and len(measured) > 1:
            yield printable(f"{name_of(each)}:")
        yield from lines


def _whole(tell: Callable[[dict[str, Any]], Iterator[str]], block: Any) -> Iterator[str]:
    if block is None:
        return
    try:
        lines = list(tell(block))
    except (AttributeError, IndexError, KeyError, TypeError, ValueError, OverflowError):
        return
    yield from map(printable, lines)


def _state(state: dict[str, Any]) -> Iterator[str]:
    before, after, between = state["before"], state["after"], state["between"]
    told = []
    if before["governors"]:
        told.append(f"governor {', '.join(before['governors'])}")
    if before["clock_mhz"] is not None:
        told.append(f"{before['clock_mhz']} to {after['clock_mhz']} MHz")
    if before["degrees_celsius"] and after["degrees_celsius"]:
        hottest = [max(each["degrees_celsius"].values()) for each in (before, after)]
        told.append(f"{hottest[0]:.0f} to {hottest[1]:.0f} °C")
    if between["others_share"] is not None:
        told.append(f"others used {100 * between['others_share']:.1f} %")
    yield f"state             {', '.join(told) or 'the system tells nothing of it'}"
    for note in state["notes"]:
        yield f"note              {note}"


def _pace(paces: dict[str, Any]) -> Iterator[str]:
    """Of all artifacts, which took turns: the middle of them, and the most restless."""
    found = [pace for pace in paces.values() if pace is not None]
    if found:
        work_ms = statistics.median(pace["work_ms"]["p50"] for pace in found)
        spread = max(pace["spread_percent"] or 0.0 for pace in found)
        yield (
            f"pace              the fixed piece of work took {work_ms:.3g} ms, "
            f"±{spread:.1f} % from turn to turn"
        )


def _live(live: dict[str, Any]) -> Iterator[str]:
    yield (
        f"listening         {100 * live['core_share']:.2f} % of a core, "
        f"{live['wakeups_per_s']:.0f} wake-ups a second "
        f"({live['involuntary_per_s']:.0f} involuntary), {live['rss_mb']:.0f} MB"
    )
    states = ", ".join(f"{n} {state}" for state, n in live["states"].items())
    yield (
        f"                  {live['source']}, {live['duration_s']:.0f} s: "
        f"{live['decisions']} decisions ({states})"
    )
    if live["source_reason"] is not None:
        yield f"                  no microphone: {live['source_reason']}"


def _stable_label(stable: dict[str, Any]) -> Iterator[str]:
    heading = "stable label"
    for key, how in (("shown", "as shown"), ("without_bar", "with --min-probability 0")):
        told = stable[key]
        labelled = told["n_turns"] - told["abstained"]
        line = f"{heading:<17} "
        if told["delay_s"] is not None:
            low, high = min(told["delay_s"]["raw"]), max(told["delay_s"]["raw"])
            line += f"{told['delay_s']['p50']:+.2f} s from the end of speech "
            line += f"({low:+.2f} to {high:+.2f}), "
        yield f"{line}{labelled} of {told['n_turns']} turns labelled, {how}"
        heading = ""


def _sustained(sustained: dict[str, Any]) -> Iterator[str]:
    drift, energy = sustained["drift"], sustained["energy"]
    line = f"sustained         {sustained['duration_s']:.0f} s, {sustained['hops']} hops"
    if drift is not None:
        line += f": {'drifts' if sustained['drifts'] else 'no drift'}, "
        line += f"{drift['percent_per_min']:+.2f} % a minute "
        line += f"({drift['low']:+.2f} to {drift['high']:+.2f})"
    yield line
    told = []
    if sustained["degrees_celsius"] is not None:
        curve = sustained["degrees_celsius"]
        told.append(f"{curve['first']:.0f} to {curve['last']:.0f} °C, {curve['most']:.0f} at most")
    if sustained["clock_mhz"] is not None:
        told.append(f"{sustained['clock_mhz']['first']} to {sustained['clock_mhz']['last']} MHz")
    told += sustained["throttled"] or sustained["state"]["reasons"]
    if told:
        yield f"                  {', '.join(told)}"
    if energy["meter"] is None:
        yield f"energy            {energy['reason']}"
    else:
        above = energy["joules_per_decision_above_idle"]
        yield (
            f"energy            {1000 * energy['joules_per_decision']:.2f} mJ a decision"
            + ("" if above is None else f", {1000 * above:.2f} above rest")
            + f", {energy['watts']:.2f} W by {energy['meter']}"
        )
