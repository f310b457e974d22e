"""What numbers a setting may have, checked once where the settings are made.

Settings come out of TOML, out of a run's ``config.json``, from a command line and from Python: a
whole number of 400 digits, ``true``, a text or NaN is one sentence in all of them.
"""

from __future__ import annotations

import dataclasses
import math
import sys
from collections.abc import Mapping
from typing import Any

__all__ = ["ABOVE_0", "NOT_NEGATIVE", "PROPER_SHARE", "SEED", "SHARE", "Bounds", "check_numbers"]


@dataclasses.dataclass(frozen=True)
class Bounds:
    """Smallest and largest value of a setting, both included, and the end of the sentence."""

    low: float
    high: float
    wanted: str
    is_whole: bool = False

    @classmethod
    def whole(cls, low: int, high: int, wanted: str | None = None) -> Bounds:
        """Bounds of a whole number."""
        return cls(low, high, wanted or f"a whole number from {low} to {high} is wanted", True)

    def check(self, value: Any, name: str) -> float:
        """Return the number as it is, NumPy's and fractions as Python's own.

        Raises
        ------
        ParameterError
            If it is no such number.
        """
        plain = (int,) if self.is_whole else (int, float)
        if type(value) in plain and self.low <= value <= self.high:
            # 1 stays 1: what is made of settings is found again by what they look like as JSON.
            checked: float = value
            return checked
        # NumPy comes with it, and a command's help needs none.
        from edge.arrays import as_number, as_whole

        if self.is_whole:
            return as_whole(value, name, self.wanted, int(self.low), int(self.high))
        return as_number(value, name, self.wanted, self.low, self.high)


#: A number above 0 and below infinity.
ABOVE_0 = Bounds(math.ulp(0.0), sys.float_info.max, "a finite number above 0 is wanted")
#: 0 or a number above, below infinity.
NOT_NEGATIVE = Bounds(0.0, sys.float_info.max, "0 or a finite number above is wanted")
#: From nothing to all.
SHARE = Bounds(0.0, 1.0, "a share in [0, 1] is wanted")
#: More than nothing and less than all.
PROPER_SHARE = Bounds(
    math.ulp(0.0), math.nextafter(1.0, 0.0), "a number above 0 and below 1 is wanted"
)
#: As torch and NumPy both take them.
SEED = Bounds.whole(0, 2**63 - 1)


def check_numbers(settings: Any, bounds: Mapping[str, Bounds]) -> None:
    """Check fields of a frozen dataclass, in its ``__post_init__``.

    Parameters
    ----------
    settings : dataclass
    bounds : mapping
        By the name of the field.

    Raises
    ------
    ParameterError
        Naming the first field that holds no such number.
    """
    for name, each in bounds.items():
        object.__setattr__(settings, name, each.check(getattr(settings, name), name))
