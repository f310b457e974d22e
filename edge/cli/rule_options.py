"""Commands that ``listen`` starts: ``--on``, or tables ``[[on]]`` of a file."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from edge.errors import ParameterError, shown

if TYPE_CHECKING:
    from edge.sinks.base import Sink
    from edge.sinks.rule import Rule

__all__ = ["add_rules", "rules_of", "sink_of"]


def add_rules(parser: argparse.ArgumentParser) -> None:
    """Add ``--on``."""
    parser.add_argument(
        "--on",
        nargs=2,
        action="append",
        metavar=("WHEN", "CMD"),
        help="start a command, without a shell, when a label holds: --on 'angry > 0.8 for 5s every "
        "10m between 22:00-06:00' 'CMD'; WHEN may be a label alone or activation > 0.7, for is 3s "
        "and every 10m unless told; CMD gets a line of JSON on standard input and 30s (limit 60s)",
    )


def rules_of(args: argparse.Namespace, labels: Sequence[str] = ()) -> list[Rule]:
    """Give the rules that were asked for.

    Raises
    ------
    ParameterError
        If one is none, or for what is not among ``labels`` or may not be said: it would never hold.
    """
    if not getattr(args, "on", None):
        return []
    from edge.sinks.rule import ACTIVATION, Rule, rule_from_words

    rules = [each if isinstance(each, Rule) else rule_from_words(*each) for each in args.on]
    for rule in rules:
        rule.check(labels)
        if labels and args.labels and rule.what not in (ACTIVATION, *args.labels):
            raise ParameterError(
                f"a rule is for {shown(rule.what)}, and --labels leaves it out: the rule would "
                "never hold"
            )
    return rules


def sink_of(
    rules: Sequence[Rule], *, now: Callable[[], float], warn: Callable[[str], None]
) -> list[Sink]:
    """Give the sink of some rules, in a thread of its own; none for none."""
    if not rules:
        return []
    from edge.sinks.queued import QueuedSink
    from edge.sinks.rules import RulesSink

    return [QueuedSink(RulesSink(rules, now=now, warn=warn), RulesSink.name, warn=warn)]
