"""What makes two reports hard to compare, a sentence each; the pace of their machines among it."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from edge.benchmark.stored import artifacts_of, is_number, name_of, part_of, positives_in

__all__ = ["PaceOfBoth", "pace_of_both", "remarks_on"]

#: By how much the machine itself may be slower or faster before it is said.
_PACE = 0.05

#: Where another one makes the same work take another time.
_DECIDING = {
    "board": "board",
    "cpu": "processor",
    "architecture": "architecture",
    "usable_cpus": "number of processors",
    "python": "Python",
    "numpy": "NumPy",
}

Report = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PaceOfBoth:
    """The pace of the machine while each of two reports was measured.

    Attributes
    ----------
    old_ms, new_ms : float or None
        Median time of the fixed piece of work; None where a report does not tell it.
    why_not : str or None
        Why it cannot be divided out; None where it can.
    """

    old_ms: float | None
    new_ms: float | None
    why_not: str | None


def pace_of_both(old: Report, new: Report) -> PaceOfBoth:
    """Say what pace two reports were measured at, and whether it can be divided out."""
    return PaceOfBoth(_pace_ms(old), _pace_ms(new), next(_why_not(old, new), None))


def _why_not(old: Report, new: Report) -> Iterator[str]:
    for word, report in (("old", old), ("new", new)):
        if _pace_ms(report) is None:
            yield f"the {word} report does not tell it"
    others = [
        what
        for key, what in _DECIDING.items()
        if part_of(old, "machine").get(key) != part_of(new, "machine").get(key)
    ]
    if part_of(old, "method").get("threads") != part_of(new, "method").get("threads"):
        others.append("number of threads")
    if others:
        yield f"the old report is of another {' and another '.join(others)}"
    if _works(old) != _works(new):
        yield "the old report's is of another piece of work"


def _works(report: Report) -> set[str]:
    return {str(part_of(part, "pace").get("work")) for part in artifacts_of(report)}


def _pace_ms(report: Report) -> float | None:
    """Of all artifacts, which were measured in turns; None unless all tell it."""
    paces = [
        positives_in(part_of(part, "pace", "work_ms").get("raw")) for part in artifacts_of(report)
    ]
    return statistics.median(map(statistics.median, paces)) if paces and all(paces) else None


def remarks_on(old: Report, new: Report) -> Iterator[str]:
    """Say what makes a difference of two reports something else than a change of the program."""
    machines = [_machine(report) for report in (old, new)]
    if machines[0] != machines[1]:
        yield f"the old report is of another machine, {machines[0]}, and this is {machines[1]}"
    for key, what in (("threads", "threads"), ("clip", "clip"), ("block_samples", "block size")):
        was, now = (part_of(report, "method").get(key) for report in (old, new))
        if was != now:
            yield f"the old report is of another {what}, {was} and now {now}"
    yield from _on_pace(old, new)
    for word, report in (("old", old), ("new", new)):
        if part_of(report, "state").get("valid") is False:
            reasons = part_of(report, "state").get("reasons") or ["not said why"]
            yield (
                f"the {word} report is not valid ({'; '.join(map(str, reasons))}): measure it again"
            )
    yield from _on_artifacts(old, new)


def _on_pace(old: Report, new: Report) -> Iterator[str]:
    pace = pace_of_both(old, new)
    if pace.why_not is not None:
        yield (
            "the pace of the machine cannot be divided out, figures are judged as measured: "
            f"{pace.why_not}"
        )
        was, now = (
            part_of(report, "state", "before").get("pace_ms") for report in (old, new)
        )  # fmt: skip
        what = "a fixed piece of work"
        then = "the machine itself is not as fast as it was, or faster"
    else:
        was, now = pace.old_ms, pace.new_ms
        what = "the fixed piece of work"
        then = "that is divided out where a change is judged"
    if is_number(was) and is_number(now) and was > 0 and abs(now / was - 1) > _PACE:
        slower = "slower" if now > was else "faster"
        yield (
            f"the machine itself was {slower}, {what} took {was:.3g} ms then and {now:.3g} ms now "
            f"({100 * (now / was - 1):+.0f} %): {then}"
        )


def _on_artifacts(old: Report, new: Report) -> Iterator[str]:
    olds, news = ({name_of(part): part for part in artifacts_of(r)} for r in (old, new))
    for name in olds:
        if name not in news:
            yield f"{name} was not measured this time"
        elif (was := olds[name]["artifact"].get("model_sha256")) != (
            now := news[name]["artifact"].get("model_sha256")
        ):
            yield f"{name} is another model: SHA-256 {str(was)[:12]} and now {str(now)[:12]}"
    for name in news:
        if name not in olds:
            yield f"{name} is not in the old report"


def _machine(report: Report) -> str:
    machine = part_of(report, "machine")
    names = [machine.get("board"), machine.get("cpu"), machine.get("architecture")]
    return ", ".join(str(name) for name in names if name) or "not named"
