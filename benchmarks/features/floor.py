"""What the features cannot cost less than in NumPy, as they are computed.

The sum of three: the kernels without which there are no features, each called once on ready arrays
into kept memory; for each other pass over the data a copy that moves as many bytes; and for
each other call what NumPy takes to begin. Passes and calls are counted, not read off the
code: the features are computed once with arrays that tell of whatever is done with them.
A pass is a call that moves at least as many bytes as the float32 lags of all frames have. A
start is the quickest call of its kind (cut, move, compute) on one element. Attributes (``.real``)
are not counted, nor is Python itself.
"""

from __future__ import annotations

import importlib
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any
from unittest import mock

import numpy as np

from benchmarks.features.pairs import blocks_of, half_spectra, irfft, rfft
from benchmarks.features.profile import HOP_FRAMES, medians_us, runs
from edge import FeatureSpec, ParameterError
from edge.arrays import rows_view
from edge.features.row_maker import RowMaker, row_makers

__all__ = ["counted_calls", "floor"]

_FAMILIES = ("chroma", "mfcc", "pitch", "rms", "spectral_contrast")
MODULES = (
    *("edge.arrays", "edge.features.extractor", "edge.features.row_maker"),
    "edge.features.spectrum",
    *(f"edge.features.families.{name}" for name in _FAMILIES),
)
#: Cutting an array moves nothing; moving it begins sooner than arithmetic.
VIEWS = ("__getitem__", "ndarray", "reshape", "view")
MOVES = (
    *("__setitem__", "argmax", "argmin", "asarray", "astype", "copy", "copyto", "empty"),
    *("take", "zeros", "zeros_like"),
)
METHODS = (
    *("__setitem__", "any", "argmax", "argmin", "astype", "copy", "max", "mean", "min"),
    *("sort", "sum", "take"),
)
N_IN_A_ROW = 100


@dataclass(frozen=True)
class Call:
    """One call of NumPy: its name, and bytes read and written."""

    name: str
    n_bytes: int


class Recorder:
    """Notes calls, but not those that NumPy makes for its own part."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.inside = False

    def __call__(self, name: str, call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call and note it; an array that comes back tells, too."""
        if self.inside:
            return call(*args, **kwargs)
        self.inside = True
        try:
            result = call(*args, **kwargs)
            self.calls.append(Call(name, self._moved(name, args, result)))
        finally:
            self.inside = False
        return np.ndarray.view(result, Telling) if isinstance(result, np.ndarray) else result

    @staticmethod
    def _moved(name: str, args: Sequence[Any], result: Any) -> int:
        """Bytes of what is read, each array once, and of what is written."""
        if name in VIEWS or name in ("asarray", "empty"):
            return 0
        if name == "__setitem__":
            args = (np.ndarray.__getitem__(args[0], args[1]), args[2])
        elif name == "take":
            args = (result.copy(),)
        read = {
            (part.ctypes.data, part.nbytes)
            for value in args
            for part in (value if isinstance(value, tuple | list) else (value,))
            if isinstance(part, np.ndarray)
        }
        written = result.nbytes if isinstance(result, np.ndarray) else 0
        return sum(n_bytes for _, n_bytes in read) + written


RECORDER = Recorder()


class Telling(np.ndarray):
    """An array that has the recorder know what is done with it and with all made of it."""

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        plain = [_plain(value) for value in inputs]
        kwargs = {key: _plain(value) for key, value in kwargs.items()}
        name = ufunc.__name__ if method == "__call__" else f"{ufunc.__name__}.{method}"
        if name == "matmul":
            name = f"matmul by {plain[0].shape[-1]}"
        return RECORDER(name, getattr(ufunc, method), *plain, **kwargs)


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(_plain(part) for part in value)
    return np.ndarray.view(value, np.ndarray) if isinstance(value, Telling) else value


def _told(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
    def telling(*args: Any, **kwargs: Any) -> Any:
        return RECORDER(name, call, *args, **kwargs)

    return telling


for _name in (*VIEWS, *METHODS):
    if _name != "ndarray":
        setattr(Telling, _name, _told(_name, getattr(np.ndarray, _name)))


class TellingNumPy:
    """NumPy whose functions tell; a ufunc does so by the arrays it is given."""

    def __init__(self, module: Any) -> None:
        self._module = module

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._module, name)
        if name == "fft":
            return TellingNumPy(found)
        if name == "ndarray":
            return _told(name, Telling)
        if isinstance(found, type | np.ufunc) or not callable(found):
            return found
        return _told(name, found)


def counted_calls(spec: FeatureSpec, samples: np.ndarray) -> dict[str, list[Call]]:
    """Every call of NumPy in one extract and in one push."""
    found = {}
    wanted = [getattr(run[0], run[1])(run[2]) for run in runs(spec, samples).values()]
    with ExitStack() as stack:
        for name in MODULES:
            module = importlib.import_module(name)
            stack.enter_context(mock.patch.object(module, "np", TellingNumPy(np)))
        # Buffers that were made before tell nothing, and those that tell are lent to nobody else.
        row_makers.cache_clear()
        stack.callback(row_makers.cache_clear)
        telling = runs(spec, samples)
        for (title, (extractor, method, given)), rows in zip(telling.items(), wanted, strict=True):
            # The first call of a size cuts the buffers.
            getattr(extractor, method)(given)
            RECORDER.calls.clear()
            counted = getattr(extractor, method)(given)
            found[title] = list(RECORDER.calls)
            if not np.array_equal(_plain(counted)[-1], rows[-1]):
                raise ParameterError(f"counting the calls of {title} changed its numbers")
    return found


def _kernels(
    spec: FeatureSpec, samples: np.ndarray, n_frames: int
) -> tuple[dict[str, Callable[[], Any]], dict[str, Callable[[], Any]]]:
    """The calls without which there are no features, and what prepares them."""
    n_fft, half = spec.n_fft, spec.n_fft // 2
    maker = RowMaker(spec)
    spectrum, filters = maker.spectrum, maker.power_filters
    halves = rows_view(samples, 0, n_frames + 1, spec.hop_length, half).astype(np.float64)
    bins = np.empty((n_frames + 1, spectrum.n_bins), np.complex128)
    _, frames = half_spectra(spectrum, samples, n_frames)
    power = (np.abs(frames) ** 2).astype(np.float32)
    cross = power[:, 1 : spectrum.n_bins + 1].astype(np.complex64)
    lags = np.empty((n_frames, n_fft), np.float32)
    blocks = blocks_of(power)
    levels = np.empty((*blocks.shape[:2], filters.shape[1]), np.float32)
    unsorted = [
        power[:, bins].copy().view(np.int32)
        for bins, _, _ in maker.kernels["spectral_contrast"]._sorted
    ]
    bands = [band.copy() for band in unsorted]
    calls: dict[str, Callable[[], Any]] = {
        "rfft": lambda: rfft(halves, n_fft, bins),
        "irfft": lambda: irfft(cross, n_fft, lags),
        f"matmul by {spectrum.n_columns}": lambda: np.matmul(blocks, filters, out=levels),
        "sort": lambda: [band.sort(axis=1) for band in bands],
    }

    def unsort() -> None:
        calls["sort"]()
        for band, values in zip(bands, unsorted, strict=True):
            band[:] = values

    return calls, {"sort": unsort}


def _copies(passes: Sequence[Call]) -> Callable[[], Any]:
    """Copy half of what each pass moves: as much is read and written."""
    sizes = [max(1, call.n_bytes // 8) for call in passes]
    read, written = np.zeros((2, max(sizes, default=1)), np.float32)
    pairs = [(written[:size], read[:size]) for size in sizes]

    def copy() -> None:
        for target, source in pairs:
            np.copyto(target, source)

    return copy


def _kind(call: Call) -> str:
    return "cut" if call.name in VIEWS else "move" if call.name in MOVES else "compute"


def _starts() -> dict[str, Callable[[], Any]]:
    """Calls with nothing to do, many in a row: the quickest of every kind."""
    one, two, three = np.ones((3, 1), np.float32)

    def cut() -> None:
        for _ in range(N_IN_A_ROW):
            one[:1]

    def move() -> None:
        for _ in range(N_IN_A_ROW):
            three[:] = one

    def compute() -> None:
        for _ in range(N_IN_A_ROW):
            np.add(one, two, three)

    return {"cut": cut, "move": move, "compute": compute}


def floor(spec: FeatureSpec, samples: np.ndarray, repeats: int) -> dict[str, Any]:
    """Kernels, passes and calls of one extract and one push, beside what they take in all."""
    bare = np.zeros((spec.n_frames(samples.size), spec.n_fft))
    bare[:] = rows_view(samples, 0, len(bare), spec.hop_length, spec.n_fft)
    starts, n_lags = _starts(), RowMaker(spec).kernels["pitch"].n_lags
    sizes = {"extract": len(bare), "push": HOP_FRAMES}
    # All in turns: a machine that slows down does so for every part.
    timed: dict[str, Callable[[], Any]] = {"bare": lambda: np.fft.rfft(bare, axis=1), **starts}
    prepare: dict[str, Callable[[], Any]] = {}
    split = {}
    measured = runs(spec, samples)
    for title, calls in counted_calls(spec, samples).items():
        kernels, prepared = _kernels(spec, samples, sizes[title])
        limit = sizes[title] * n_lags * np.dtype(np.float32).itemsize
        passes = [c for c in calls if c.name not in kernels and c.n_bytes >= limit]
        others = [c for c in calls if c.name not in kernels and c.n_bytes < limit]
        split[title] = (list(kernels), passes, others, len(calls))
        extractor, method, given = measured[title]
        ways = {
            **{f"{title} {name}": call for name, call in kernels.items()},
            f"{title} passes": _copies(passes),
            f"{title} all": _bound(extractor, method, given),
        }
        timed.update(ways)
        prepare.update({f"{title} {name}": call for name, call in prepared.items()})
    # Everything twice: only the second is timed, with its own data in the caches.
    prepare = {**timed, **prepare}
    times = medians_us(timed, repeats, prepare)
    per_call = {kind: times[kind] / N_IN_A_ROW for kind in starts}
    found: dict[str, Any] = {
        "bare_rfft_us": round(times["bare"], 2),
        "us_per_call": {kind: round(us, 4) for kind, us in per_call.items()},
    }
    for title, (kernels, passes, others, n_calls) in split.items():
        kernels_us = {name: times[f"{title} {name}"] for name in kernels}
        n_others = Counter(_kind(call) for call in others)
        parts = {
            "kernels": sum(kernels_us.values()),
            "passes": times[f"{title} passes"],
            "calls": sum(n_others[kind] * per_call[kind] for kind in per_call),
        }
        parts["floor"] = sum(parts.values())
        parts["measured"] = times[f"{title} all"]
        found[title] = {
            "n_frames": sizes[title],
            "kernels_us": {name: round(us, 2) for name, us in kernels_us.items()},
            "n_passes": len(passes),
            "passes_bytes": sum(call.n_bytes for call in passes),
            "passes_by_name": dict(sorted(Counter(call.name for call in passes).items())),
            "n_calls": n_calls,
            "n_other_calls": {kind: n_others[kind] for kind in per_call},
            "us": {name: round(us, 2) for name, us in parts.items()},
            "of_bare_rfft": {name: round(us / times["bare"], 3) for name, us in parts.items()},
            "of_extract": {name: round(us / times["extract all"], 3) for name, us in parts.items()},
        }
    push_us, extract_us = found["push"]["us"], found["extract"]["us"]
    found["push_to_extract"] = {
        name: round(us / extract_us[name], 3) for name, us in push_us.items()
    }
    return found


def _bound(extractor: Any, method: str, given: np.ndarray) -> Callable[[], Any]:
    return lambda: getattr(extractor, method)(given)
