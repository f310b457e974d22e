"""What the settings of every model share."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any, TypeVar

from edge.errors import ParameterError
from quantize.basics.bounds import Bounds

__all__ = ["DROPOUT", "SIZE", "ModelConfig"]

_LARGEST = 65_536
#: Of a layer, or a count of heads, labels and the like; one beyond the largest has gigabytes.
SIZE = Bounds.whole(1, _LARGEST, f"a whole number >= 1 is wanted, at most {_LARGEST}")
#: Share of the activations that training leaves out.
DROPOUT = Bounds(0.0, math.nextafter(1.0, 0.0), "a share in [0, 1) is wanted")

Config = TypeVar("Config", bound="ModelConfig")


@dataclasses.dataclass(frozen=True)
class ModelConfig:
    """Settings that go to a checkpoint and come back."""

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls: type[Config], settings: Mapping[str, Any]) -> Config:
        """Build from :meth:`to_dict`'s output; unknown keys are refused."""
        unknown = sorted(set(settings) - {field.name for field in dataclasses.fields(cls)})
        if unknown:
            raise ParameterError(f"model config has unknown keys {unknown}")
        return cls(**settings)
