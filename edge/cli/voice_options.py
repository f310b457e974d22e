"""Options of the reference for the voice: whether it acts, and where it is kept between runs."""

from __future__ import annotations

import argparse
import math
import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from edge.errors import ParameterError, printable

if TYPE_CHECKING:
    from edge.cli.config import Configured
    from edge.sources.base import Block, Gap, Status
    from edge.stream.stream import Stream
    from edge.stream.voice import VoiceState

__all__ = ["VoiceKeeper", "add_voice", "check_voice", "know_voice", "state_file", "wanted_voice"]

#: Between two times that a voice is written down while it speaks.
_EVERY_S = 60.0


def add_voice(parser: argparse.ArgumentParser) -> None:
    """Add ``--reference`` and ``--state``."""
    parser.add_argument(
        "--reference",
        choices=("on", "off"),
        help="take away what this voice sounds like on the whole, once enough of it was heard "
        "(default: on where the model was trained for it); SIGUSR1 forgets the voice",
    )
    parser.add_argument(
        "--state",
        metavar="FILE",
        help="keep the reference for the voice in this file, and go on with it: means of features "
        "and no sound; a name without a folder lies in $STATE_DIRECTORY, which a service has "
        "(default: it is not kept)",
    )


def wanted_voice(args: argparse.Namespace) -> bool | None:
    """Give what ``--reference`` says, as a keyword of :meth:`Classifier.stream`."""
    return None if args.reference is None else args.reference == "on"


def state_file(args: argparse.Namespace) -> str | None:
    """Give the path of ``--state``, or None."""
    path: str | None = args.state
    if path is None or os.path.dirname(path):
        return path
    # A service manager may give several, with a colon between two.
    folder = os.environ.get("STATE_DIRECTORY", "").partition(":")[0]
    return os.path.join(folder, path)


def check_voice(configured: Configured) -> None:
    """See whether the file can be used, before anything is loaded.

    Raises
    ------
    ParameterError
        If it cannot, or is of no use.
    """
    args = configured.args
    if args.state is None:
        return
    if args.reference == "off":
        if not configured.leave_out("state", "reference"):
            raise ParameterError(
                "--state keeps the reference for the voice, and --reference is off: leave one out"
            )
        return
    path = state_file(args)
    if not path or path.endswith(os.sep) or os.path.isdir(path):
        raise ParameterError(f"--state is {printable(args.state)!r}, the name of a file is wanted")
    folder = os.path.dirname(path) or "."
    name = printable(folder)
    if not os.path.isdir(folder):
        raise ParameterError(
            f"--state is in {name}, which is no folder: make it with `mkdir -p {name}`"
        )
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ParameterError(
            f"--state is in {name}, into which this user may not write: name another folder, or "
            f"`chmod u+wx {name}`"
        )


def know_voice(configured: Configured, stream: Stream) -> str | None:
    """Let a stream go on with the voice that was kept.

    Returns
    -------
    str or None
        Where it is to be kept.

    Raises
    ------
    ParameterError
        If the model takes no reference, or the file is another's.
    """
    path = state_file(configured.args)
    if path is None:
        return None
    if stream.voice is None:
        # Of a model for the daily run, where another was chosen.
        if configured.leave_out("state", "artifact"):
            return None
        model = printable(stream.classifier.artifact.manifest.name)
        raise ParameterError(
            f"--state keeps the reference for the voice, and the model {model} takes none: leave "
            "it out"
        )
    from edge.stream.voice_file import read_voice

    try:
        state = read_voice(path, stream.classifier.spec)
        if state is not None:
            stream.voice.take(state)
    except ParameterError as error:
        raise ParameterError(f"--state {error}") from error
    return path


class VoiceKeeper:
    """A tap that keeps the voice: in a file, over new options, and not against a SIGUSR1.

    Parameters
    ----------
    warn, say : callable
        Take what fails, and what was asked for.
    clock : callable
        Seconds that never go back.

    Attributes
    ----------
    has_failed : bool
        Whether the voice could not be written down when that was tried last.
    """

    longest_block_s = math.inf

    def __init__(
        self,
        warn: Callable[[str], None],
        say: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._warn, self._say, self._clock = warn, say, clock
        self._stream: Stream | None = None
        self._path: str | None = None
        self._kept: VoiceState | None = None
        self._due_s = 0.0
        self._n_asked = self._n_forgotten = 0
        self.has_failed = False

    def ask(self) -> None:
        """Ask that the voice be forgotten, from any thread; the next sound finds it so."""
        self._n_asked += 1

    def begin(self, stream: Stream, path: str | None) -> None:
        """Go on with another stream.

        Parameters
        ----------
        stream : Stream
            Knows what its file told; the voice of the stream before is newer.
        path : str, optional
            Where to keep it.
        """
        before = self._stream.voice if self._stream is not None else None
        is_other = path != self._path
        if is_other:
            self.close()
        voice = stream.voice
        # Another file's voice comes before the one that was heard by now.
        has_own = voice is None or (is_other and voice.heard_s > 0)
        if before is not None and voice is not None and not has_own:
            self._forget_if_asked()
            try:
                voice.take(before.state())
            except ParameterError:
                self._say("the model takes other features: the voice is heard anew")
        self._stream, self._path = stream, path
        self._kept = None
        self._due_s = self._clock() + _EVERY_S

    def __call__(self, item: Block | Gap | Status) -> None:
        """Forget, or write down, where it is time to."""
        if self._n_asked != self._n_forgotten:
            self._forget_if_asked()
        elif self._path is not None and self._clock() >= self._due_s:
            self._keep()

    def close(self) -> None:
        """Write it down for the next run."""
        self._forget_if_asked()
        self._keep(is_last=True)

    def _forget_if_asked(self) -> None:
        if self._n_asked == self._n_forgotten:
            return
        self._n_forgotten = self._n_asked
        if self._stream is None or self._stream.voice is None:
            self._say("there is no reference for a voice to forget")
            return
        self._stream.voice.reset()
        self._say("the voice is forgotten, and its reference begins anew")
        self._keep(is_last=True)

    def _keep(self, is_last: bool = False) -> None:
        """Write it down, where there is something new; at the end the silence is, too."""
        if self._path is None or self._stream is None or self._stream.voice is None:
            return
        self._due_s = self._clock() + _EVERY_S
        state = self._stream.voice.state()
        kept = self._kept
        if kept is not None and (kept == state or (not is_last and kept.sums == state.sums)):
            return
        from edge.stream.voice_file import write_voice

        try:
            write_voice(self._path, state)
        except OSError as error:
            why = error.strerror or type(error).__name__
            self._warn(f"the voice cannot be kept in {printable(self._path)}: {why}")
            self.has_failed = True
            return
        self._kept, self.has_failed = state, False
