"""PortAudio as it is: it prints, it reads its list of devices once, and its calls can hang.

What it prints (and ALSA, JACK and libpulse below it) goes to the C library's ``stderr``, from its
own threads too, at the very moment when a sound server goes.  Descriptor 2 is not sent elsewhere
for that: the program's notices, its logging and its children write there.  The C library's
pointer is, for as long as a device is open or a call is under way, and nothing but C's stdio
looks at it.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import os
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

from edge.errors import AudioDeviceError, MissingDependencyError

__all__ = [
    "AwayError",
    "Call",
    "hush",
    "hushed",
    "import_sounddevice",
    "portaudio_reason",
    "renew",
    "turn",
    "unhush",
]

#: Longest wait for another thread's call; a frozen sound server holds each up for 30 s.
_TURN_S = 1.0
#: What sounddevice calls its streams.
_STREAMS = (
    "InputStream",
    "OutputStream",
    "Stream",
    "RawInputStream",
    "RawOutputStream",
    "RawStream",
)


class AwayError(AudioDeviceError):
    """The microphone is not there, or cannot be had now: it may be later."""


def import_sounddevice() -> Any:
    """Give the sounddevice module, or an error with the one line that installs what is missing."""
    try:
        with hushed():
            import sounddevice
    except ImportError as error:
        raise MissingDependencyError(
            "a microphone needs sounddevice: pip install sounddevice"
        ) from error
    except OSError as error:
        raise AudioDeviceError(
            "a microphone needs the PortAudio library, which is not installed: "
            "sudo apt-get install libportaudio2"
        ) from error
    except Exception as error:
        # It initialises PortAudio as it is imported, and no system below may be ready yet.
        raise AwayError(f"PortAudio does not start: {portaudio_reason(error)}") from error
    return sounddevice


def portaudio_reason(error: BaseException) -> str:
    """PortAudio's words on one line, without the number in brackets."""
    text = str(error.args[0]) if error.args else str(error)
    return " ".join(text.split())


_lock = threading.RLock()


@contextlib.contextmanager
def turn(limit_s: float = _TURN_S) -> Iterator[None]:
    """Have PortAudio to oneself: its calls are not made for two threads.

    Parameters
    ----------
    limit_s : float
        Longest wait for another thread's call, in seconds.

    Raises
    ------
    AwayError
        If another call is still under way then: one that a frozen server holds up.
    """
    if not _lock.acquire(timeout=limit_s):
        raise AwayError("the sound server does not answer")
    try:
        yield
    finally:
        _lock.release()


def renew(sd: Any) -> bool:
    """Let PortAudio read its list of devices anew; to be called in one's turn.

    Returns
    -------
    bool
        False, with nothing done, when a stream of this process is open: it would be ended.

    Raises
    ------
    AwayError
        If PortAudio does not start again.
    """
    kinds = tuple(kind for name in _STREAMS if isinstance(kind := getattr(sd, name, None), type))
    if sd._initialized and any(_is_open(one, kinds) for one in gc.get_objects()):
        return False
    try:
        while sd._initialized:
            sd._terminate()
        # Not sd._initialize(): it sends descriptor 2 of the whole process nowhere meanwhile.
        sd._check(sd._lib.Pa_Initialize(), "Error initializing PortAudio")
    except sd.PortAudioError as error:
        raise AwayError(f"PortAudio does not start: {portaudio_reason(error)}") from error
    sd._initialized += 1
    return True


def _is_open(thing: object, kinds: tuple[Any, ...]) -> bool:
    # `type` and not `isinstance`, which asks what strange objects say of themselves.
    return issubclass(type(thing), kinds) and not thing.closed  # type: ignore[attr-defined]


class Call:
    """One call of PortAudio's in a thread of its own, so that nobody has to wait for its end.

    Parameters
    ----------
    function : callable
        Run at once.
    """

    def __init__(self, function: Callable[[], None]) -> None:
        self._function = function
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="edge-ser-portaudio", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._function()
        except BaseException as error:
            self._error = error

    def wait(self, timeout_s: float) -> bool:
        """Wait for its end, and say whether it is there."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def check(self) -> None:
        """Raise what it failed with."""
        error, self._error = self._error, None
        if error is not None:
            raise error

    def leave(self) -> None:
        """Do not wait for it at the end of the program either."""
        sd = sys.modules.get("sounddevice")
        if self._thread.is_alive() and sd is not None:
            # It would end PortAudio as the program ends, and wait as long once more.
            atexit.unregister(sd._exit_handler)


# The pointer of the C library


class _Hush:
    """Sends what C prints to its ``stderr`` nowhere while anybody wants it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._n_users = 0
        # The pointer, what it held, and the stream that leads nowhere, which is opened once.
        self._pointer: Any = None
        self._real: int | None = None
        self._nowhere: int | None = None

    def begin(self) -> None:
        with self._lock:
            self._n_users += 1
            if self._n_users > 1:
                return
            self._pointer = self._pointer or _c_stderr()
            if self._pointer is None:
                return
            self._nowhere = self._nowhere or _open_nowhere()
            if self._nowhere:
                self._real, self._pointer.value = self._pointer.value, self._nowhere

    def end(self) -> None:
        with self._lock:
            self._n_users -= 1
            if self._n_users == 0 and self._real is not None:
                self._pointer.value, self._real = self._real, None


def _c_stderr() -> Any:
    """C's ``stderr`` where it is a variable: with glibc and on macOS; musl's cannot be set."""
    try:
        if sys.platform == "darwin":
            name = "__stderrp"
        elif (os.confstr("CS_GNU_LIBC_VERSION") or "").startswith("glibc"):
            name = "stderr"
        else:
            return None
    except (AttributeError, ValueError, OSError):
        return None
    import ctypes

    with contextlib.suppress(ValueError, OSError):
        return ctypes.c_void_p.in_dll(ctypes.CDLL(None), name)
    return None


def _open_nowhere() -> int | None:
    import ctypes

    opening = ctypes.CDLL(None).fopen
    opening.restype = ctypes.c_void_p
    opening.argtypes = ctypes.c_char_p, ctypes.c_char_p
    found: int | None = opening(os.devnull.encode(), b"we")
    return found


_HUSH = _Hush()


def hush() -> None:
    """Keep away what C prints, until :func:`unhush`."""
    _HUSH.begin()


def unhush() -> None:
    """Let C print again, unless somebody else wants it kept away."""
    _HUSH.end()


@contextlib.contextmanager
def hushed() -> Iterator[None]:
    """Keep away what C prints meanwhile."""
    hush()
    try:
        yield
    finally:
        unhush()
