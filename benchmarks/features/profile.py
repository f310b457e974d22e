"""Where the time of `FeatureExtractor` goes: stages timed from outside, nothing in edge changed."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from time import perf_counter_ns
from typing import Any
from unittest import mock

import numpy as np

import edge.features.extractor
import edge.features.row_maker
import edge.features.spectrum
from edge import FeatureExtractor, FeatureSpec
from edge.features.families import chroma, mfcc, rms
from edge.features.row_maker import row_makers

__all__ = ["HOP_FRAMES", "Instead", "medians_us", "profile", "runs"]

#: A hop of 0.5 s in whole frames: what the runtime pushes for one decision.
HOP_FRAMES = 16
N_WARM = 3


def medians_us(
    calls: Mapping[str, Callable[[], Any]],
    repeats: int,
    prepare: Mapping[str, Callable[[], Any]] | None = None,
) -> dict[str, float]:
    """Median times in microseconds, the calls taking turns; what prepares one is not timed."""
    prepare = prepare or {}
    spent: dict[str, list[int]] = {name: [] for name in calls}
    gc.collect()
    gc.disable()
    for i in range(-N_WARM, repeats):
        for name, call in calls.items():
            if name in prepare:
                prepare[name]()
            started = perf_counter_ns()
            call()
            took = perf_counter_ns() - started
            if i >= 0:
                spent[name].append(took)
    gc.enable()
    return {name: float(np.median(found)) / 1000 for name, found in spent.items()}


def runs(spec: FeatureSpec, samples: np.ndarray) -> dict[str, Any]:
    """Extractor, method and samples of one 2 s extract and of one push of 0.5 s more."""
    streaming, length = FeatureExtractor(spec), HOP_FRAMES * spec.hop_length
    # As of here it has a past: every push gives as many rows as the next.
    streaming.push(samples[-spec.n_samples(1) :])
    return {
        "extract": (FeatureExtractor(spec), "extract", samples),
        "push": (streaming, "push", samples[:length]),
    }


class Instead:
    """A module or an object of which some parts are replaced."""

    def __init__(self, whole: Any, call: Callable[..., Any] | None = None, **parts: Any) -> None:
        self.__dict__.update(parts, _whole=whole, _call=call)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._whole, name)

    def __call__(self, *args: Any) -> Any:
        return self._call(*args)


class Clock:
    """Time of each stage less that of the stages within it."""

    def __init__(self) -> None:
        self.spent: dict[str, int] = {}
        self._within = [0]

    def __call__(self, stage: str, call: Callable[..., Any]) -> Callable[..., Any]:
        """Have a callable timed as a stage."""

        def timed(*args: Any, **kwargs: Any) -> Any:
            self._within.append(0)
            started = perf_counter_ns()
            result = call(*args, **kwargs)
            took = perf_counter_ns() - started
            own = took - self._within.pop()
            self._within[-1] += took
            self.spent[stage] = self.spent.get(stage, 0) + own
            return result

        return timed


@contextmanager
def timed_stages(extractor: FeatureExtractor, clock: Clock) -> Iterator[None]:
    """Time the stages of one extractor as long as this lasts."""
    makers = row_makers(extractor.spec)
    # What is given back last is lent next.
    maker = makers.take()
    makers.give(maker)
    spectrum, kernels = maker.spectrum, maker.kernels
    yin, contrast = kernels["pitch"], kernels["spectral_contrast"]
    rfft = clock("transform of the halves", np.fft.rfft)
    irfft = clock("inverse transform", np.fft.irfft)
    product = clock("product with the filters", np.matmul)
    logs = "logarithms, MFCC, chroma, RMS"
    in_extractor, in_maker = edge.features.extractor, edge.features.row_maker
    in_spectrum = edge.features.spectrum
    replaced = [
        (in_spectrum, "np", Instead(np, fft=Instead(np.fft, rfft=rfft, irfft=irfft))),
        (in_maker, "np", Instead(np, matmul=product)),
        (in_extractor, "as_samples", clock("check of the samples", in_extractor.as_samples)),
        *(
            (module, name, clock(logs, getattr(module, name)))
            for module, name in (
                (in_maker, "power_to_db"),
                (mfcc, "log_mel_to_mfcc"),
                (rms, "frame_rms"),
                (chroma, "normalise_chroma"),
            )
        ),
        (spectrum, "_transform", clock("copy and sum of the halves", spectrum._transform)),
        (spectrum, "_correlate", clock("correlation but its inverse", spectrum._correlate)),
        (spectrum, "_taper", clock("taper and power", spectrum._taper)),
        (yin, "_normalise", clock("pitch: difference", yin._normalise)),
        (yin, "_search", clock("pitch: search", yin._search)),
        (contrast, "levels", clock("contrast", contrast.levels)),
        (maker, "spectrum", Instead(spectrum, clock("squares of the ends", spectrum))),
        (yin, "fill", clock("the rest", yin.fill)),
    ]
    with ExitStack() as stack:
        for owner, name, part in replaced:
            stack.enter_context(mock.patch.object(owner, name, part))
        yield


def profile(spec: FeatureSpec, samples: np.ndarray, repeats: int) -> dict[str, Any]:
    """Median time of every stage of one extract and one push, and its share of all stages."""
    of_what, clock = runs(spec, samples), Clock()
    plain_us: dict[str, list[float]] = {title: [] for title in of_what}
    by_stage: dict[str, dict[str, list[float]]] = {title: {} for title in of_what}
    gc.collect()
    gc.disable()
    for i in range(-N_WARM, repeats):
        for title, (extractor, method, given) in of_what.items():
            # Twice: the first finds in the caches what others left there.
            for _ in range(2):
                started = perf_counter_ns()
                getattr(extractor, method)(given)
                took = perf_counter_ns() - started
            with timed_stages(extractor, clock):
                for _ in range(2):
                    clock.spent.clear()
                    clock("the rest", getattr(extractor, method))(given)
            if i >= 0:
                plain_us[title].append(took / 1000)
                for stage, ns in clock.spent.items():
                    by_stage[title].setdefault(stage, []).append(ns / 1000)
    gc.enable()
    return {title: _summary(plain_us[title], by_stage[title]) for title in of_what}


def _summary(plain_us: list[float], by_stage: dict[str, list[float]]) -> dict[str, Any]:
    medians = {stage: float(np.median(spent)) for stage, spent in by_stage.items()}
    total = sum(medians.values())
    return {
        "total_us": round(float(np.median(plain_us)), 2),
        "stages_total_us": round(total, 2),
        "stages": [
            {"stage": stage, "us": round(us, 2), "share": round(us / total, 4)}
            for stage, us in sorted(medians.items(), key=lambda item: -item[1])
        ],
    }
