"""What a check found."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Literal

__all__ = [
    "EXIT_CODES",
    "Finding",
    "State",
    "count",
    "error",
    "exit_code",
    "ok",
    "skipped",
    "warning",
]

State = Literal["ok", "warning", "error", "skipped"]

#: What the worst finding makes of the exit code; what was not looked at is no fault.
EXIT_CODES: dict[State, int] = {"ok": 0, "skipped": 0, "warning": 1, "error": 2}


@dataclasses.dataclass(frozen=True, slots=True)
class Finding:
    """One sentence about one thing.

    Parameters
    ----------
    state : str
        "ok", "warning" (it listens, not well), "error" (it does not), or "skipped".
    sentence : str
        What was found; with "skipped", why nothing was looked at.
    mend : str or None
        The command to run, or what to do where no command helps; None where nothing is to do.
    facts : mapping
        Figures behind the sentence, of plain JSON types.
    subject : str or None
        Which one of several: a backend, a device, an artifact.
    check, group : str
        Of the row that found it; filled in by who ran it.
    """

    state: State
    sentence: str
    mend: str | None = None
    facts: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    subject: str | None = None
    check: str = ""
    group: str = ""

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON types, see ``docs/doctor.md``."""
        return {
            "group": self.group,
            "check": self.check,
            "subject": self.subject,
            "state": self.state,
            "sentence": self.sentence,
            "mend": self.mend,
            "facts": dict(self.facts),
        }


def ok(sentence: str, subject: str | None = None, **facts: Any) -> Finding:
    """All is well."""
    return Finding("ok", sentence, None, facts, subject)


def warning(sentence: str, mend: str, subject: str | None = None, **facts: Any) -> Finding:
    """It listens, but not as well as it could."""
    return Finding("warning", sentence, mend, facts, subject)


def error(sentence: str, mend: str, subject: str | None = None, **facts: Any) -> Finding:
    """It does not listen like this."""
    return Finding("error", sentence, mend, facts, subject)


def skipped(
    reason: str, mend: str | None = None, subject: str | None = None, **facts: Any
) -> Finding:
    """Nothing was looked at, and why."""
    return Finding("skipped", reason, mend, facts, subject)


def count(findings: Iterable[Finding]) -> dict[str, int]:
    """Count the findings of each state: ``n_ok``, ``n_warning``, ``n_error``, ``n_skipped``."""
    n = Counter(finding.state for finding in findings)
    return {f"n_{state}": n[state] for state in ("ok", "warning", "error", "skipped")}


def exit_code(findings: Iterable[Finding]) -> int:
    """Give 0 when all is well, 1 after a warning, 2 after an error."""
    return max((EXIT_CODES[finding.state] for finding in findings), default=0)
