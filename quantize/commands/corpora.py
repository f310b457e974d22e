"""``edge-ser-quantize corpora``: what lies under folders, and what it sounds like."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from quantize.commands.options import add_worker_options

__all__ = ["add_command"]


def add_command(commands: Any) -> None:
    """Add ``corpora`` to the parser."""
    parser = commands.add_parser(
        "corpora",
        help="open every clip and say what is there, what is missing and what is wrong",
        description="Opens every recording that a training would take: counts by label and "
        "speaker, lengths, rates, levels, clipping, narrow bands, pauses, copies, and what cannot "
        "be used, and why.",
    )
    parser.add_argument(
        "data",
        type=Path,
        nargs="+",
        metavar="ROOT",
        help="folders that hold known corpora, or one folder per label, or tables",
    )
    parser.add_argument("--quick", action="store_true", help="names only: no recording is opened")
    parser.add_argument("--json", action="store_true", help="one object a corpus, and one of all")
    add_worker_options(parser, "open recordings")
    parser.set_defaults(function=_corpora)


def _corpora(arguments: argparse.Namespace) -> int:
    from edge.features.spec import FeatureSpec
    from quantize.data.corpora import find_corpora
    from quantize.data.corpora.hearing import hear_all
    from quantize.data.corpora.survey import Survey, survey_records, survey_table
    from quantize.data.corpora.usable import shortest_s

    found = find_corpora(arguments.data)
    if arguments.quick:
        survey = Survey(found)
    else:
        heard = hear_all(found.clips, arguments.workers, arguments.cluster)
        by_id = {c.clip_id: facts for c, facts in zip(found.clips, heard, strict=True)}
        survey = Survey(found, by_id, shortest_s(FeatureSpec()))
    if arguments.json:
        for record in survey_records(survey):
            print(json.dumps(record))
    else:
        print(survey_table(survey))
    return 0
