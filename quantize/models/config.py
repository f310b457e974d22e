"""What the settings of every model share."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, TypeVar

from edge.errors import ParameterError

__all__ = ["ModelConfig"]

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
