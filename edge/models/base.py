"""What an architecture tells of itself, and what its network in NumPy offers."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Generic, Protocol, TypeVar, runtime_checkable

import numpy as np
import numpy.typing as npt

__all__ = [
    "ALIGNMENT_BYTES",
    "Architecture",
    "AttentiveRunner",
    "Network",
    "Runner",
    "Sizes",
    "aligned",
    "frozen",
    "matrix_shape",
]

Floats = npt.NDArray[np.float32]

#: A cache line.  A recurrence streams its weights through the cache once a time step and takes a
#: tenth longer when the rows straddle lines, as NumPy's 16-byte alignment allows.
ALIGNMENT_BYTES = 64


class Sizes(Protocol):
    """A network's shape: a frozen dataclass of whole numbers, and ``architecture`` of a manifest.

    Its fields are the keys of that object; all but ``type`` are whole numbers of 1 or more.
    """

    @property
    def type(self) -> str:
        """Key of the registry."""
        ...

    @property
    def n_features(self) -> int:
        """Numbers of a feature row."""
        ...

    @property
    def n_labels(self) -> int:
        """Logits."""
        ...

    @property
    def n_corpora(self) -> int:
        """Corpora that the network tells apart; 1 for one that takes none."""
        ...

    def problem(self) -> str | None:
        """Say in a sentence why no network has these sizes; None where one can."""
        ...


class Runner(Protocol):
    """The buffers of one use of a network; for one thread at a time."""

    def run(self, features: Floats, corpus: int) -> Floats:
        """Return logits [shape=(B, n_labels)], a new array.

        ``features`` are float32 [shape=(B, T, n_features)] and ``corpus`` is a number below
        ``n_corpora``: both were checked.
        """
        ...


@runtime_checkable
class AttentiveRunner(Runner, Protocol):
    """A runner that also tells which frames its network attended to."""

    def run_with_attention(self, features: Floats, corpus: int) -> tuple[Floats, Floats]:
        """Return logits as :meth:`Runner.run` and attention [shape=(B, n_heads, T)]."""
        ...


class Network(Protocol):
    """Weights made ready: never changes, so threads share it and copies equal it to the bit."""

    def runner(self) -> Runner:
        """Allocate the buffers of one use."""
        ...


S = TypeVar("S", bound=Sizes)


def matrix_shape(name: str, shape: tuple[int, ...]) -> tuple[int, int]:
    """Output channels and inputs of a weight whose last axis holds its inputs."""
    n_inputs = shape[-1]
    return int(np.prod(shape)) // n_inputs, n_inputs


@dataclasses.dataclass(frozen=True, slots=True)
class Architecture(Generic[S]):
    """A row of the registry: everything the rest of the code asks of an architecture.

    Parameters
    ----------
    name : str
        ``architecture.type`` of a manifest.
    sizes : type
        The record of its sizes.
    inputs : tuple of str
        What the model takes, in order: ``"features"``, and ``"language"`` (the corpus) if it
        tells corpora apart.
    weight_shapes : callable
        Sizes to the name and shape of every weight of a NumPy archive, in order.
    network : callable
        Sizes and weights by name, float32, to a network.
    may_be_whole : frozenset of str
        Weights that may be stored as whole numbers.
    matrix_shape : callable
        Name and shape of a weight to its output channels and inputs.
    window_cost : callable, optional
        Sizes and a number of frames to the bytes of the buffers and the multiplications that one
        window takes, roughly; a manifest that asks for too much is refused before anything is
        allocated.  Without it every weight is taken to be used at every frame, which is wrong of
        what grows with the square of their number.
    """

    name: str
    sizes: type[S]
    inputs: tuple[str, ...]
    weight_shapes: Callable[[S], dict[str, tuple[int, ...]]]
    network: Callable[[S, Mapping[str, Floats]], Network]
    may_be_whole: frozenset[str] = frozenset()
    matrix_shape: Callable[[str, tuple[int, ...]], tuple[int, int]] = matrix_shape
    window_cost: Callable[[S, int], tuple[int, int]] | None = None


def aligned(values: npt.ArrayLike) -> Floats:
    """Copy to float32, in C order, from the start of a cache line."""
    values = np.asarray(values)
    n_bytes = 4 * values.size
    buffer = np.empty(n_bytes + ALIGNMENT_BYTES, dtype=np.uint8)
    start = -buffer.ctypes.data % ALIGNMENT_BYTES
    copy: Floats = buffer[start : start + n_bytes].view(np.float32).reshape(values.shape)
    copy[...] = values
    return copy


def frozen(values: npt.ArrayLike) -> Floats:
    """Copy as :func:`aligned` does; nobody can write to the result."""
    copy = aligned(values)
    copy.flags.writeable = False
    return copy
