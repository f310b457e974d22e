"""CONTRACT: the one definition of a feature row.

Training, evaluation and the device all build their features from a
:class:`FeatureSpec`; its :attr:`~FeatureSpec.fingerprint` travels in every
artifact, so a model can never meet features it was not trained on.
"""

from __future__ import annotations

import dataclasses
import difflib
import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from edge.arrays import as_whole
from edge.digest import sha256_hex
from edge.errors import ParameterError, shown
from edge.features.families import FAMILIES
from edge.features.families.base import Family, check_settings, choice, count, setting_key
from edge.features.families.chroma import Chroma
from edge.features.families.mfcc import Mfcc
from edge.features.families.pitch import Pitch
from edge.features.families.rms import Rms
from edge.features.families.spectral_contrast import SpectralContrast
from edge.features.front_end import FrontEnd

__all__ = ["FeatureSpec", "default_settings"]

FamilyType = TypeVar("FamilyType", bound=Family)

# Of samples or frames; further than any clock that counts them.
_MOST = 2**62
_COUNT = f"a whole number from -{_MOST} to {_MOST} is wanted"


@dataclasses.dataclass(frozen=True, slots=True)
class FeatureSpec:
    """Frame geometry and families of features; the defaults are CLAF-SER's 34 (section 3.4.1).

    Parameters
    ----------
    sample_rate : int
        Samples per second every length below refers to.
    n_fft, win_length, hop_length : int
        Analysis frame, taper and step, in samples. ``n_fft`` equals
        ``win_length``: the frame is not zero-padded.
    window : str
        The taper; ``"hann"`` (periodic) is the only one.
    families : tuple of Family
        Groups of columns, in their order within a row; each at most once.
    front_end : FrontEnd, optional
        What samples go through before the first frame; None for a model that was trained
        without.

    Raises
    ------
    ParameterError
        If a value is out of range or the combination cannot be computed.

    Notes
    -----
    The canonical JSON is flat: a setting stands under a key of its own, and ``order`` lists the
    families.  A family that is absent leaves nothing in it, so a fingerprint outlives families
    that came later.

    Examples
    --------
    >>> spec = FeatureSpec()
    >>> spec.mfcc.n_mels, spec.pitch.fmin_hz, spec.n_features
    (40, 60.0, 34)
    """

    sample_rate: int = count(16_000, 768_000, "sample_rate")
    n_fft: int = count(1024, 16_384, "n_fft")
    win_length: int = count(1024, 16_384, "win_length")
    hop_length: int = count(512, 16_384, "hop_length")
    window: str = choice("hann", "window")
    families: tuple[Family, ...] = (Mfcc(), Pitch(), Rms(), Chroma(), SpectralContrast())
    front_end: FrontEnd | None = None

    def __post_init__(self) -> None:
        check_settings(self)
        if not isinstance(self.families, tuple | list) or not self.families:
            raise ParameterError(
                f"families is {shown(self.families)}, one family or more is wanted"
            )
        object.__setattr__(self, "families", tuple(self.families))
        for family in self.families:
            known = isinstance(family, Family) and hasattr(family, "NAME")
            if not known or FAMILIES.get(family.NAME) is not type(family):
                raise ParameterError(
                    f"families holds {shown(family)}, one of {', '.join(FAMILIES)} is wanted"
                )
        if len(set(self.order)) < len(self.order):
            raise ParameterError(
                f"order is {shown(self.order)}, each family at most once is wanted"
            )
        self._check_frames()
        if self.front_end is not None:
            if not isinstance(self.front_end, FrontEnd):
                raise ParameterError(f"front_end is {shown(self.front_end)}, a FrontEnd is wanted")
            self.front_end.check(self.sample_rate)
        for family in self.families:
            family.check(self)
        names = self.feature_names
        if len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise ParameterError(f"two of the families {self.order} have a column {twice!r}")

    def _check_frames(self) -> None:
        if self.win_length != self.n_fft or self.n_fft % 2:
            raise ParameterError(
                f"win_length {self.win_length} and n_fft {self.n_fft} must be equal and even"
            )
        if self.hop_length > self.win_length:
            raise ParameterError(
                f"hop_length {self.hop_length} is more than win_length {self.win_length}: "
                "samples between two frames would be lost"
            )

    def family(self, kind: type[FamilyType]) -> FamilyType:
        """Look up the settings of a family.

        Raises
        ------
        ParameterError
            If the spec is without it.
        """
        for family in self.families:
            if isinstance(family, kind):
                return family
        raise ParameterError(
            f"the features are {', '.join(self.order)}: there is no {kind.NAME!r} among them"
        )

    @property
    def mfcc(self) -> Mfcc:
        """Settings of the cepstral coefficients."""
        return self.family(Mfcc)

    @property
    def pitch(self) -> Pitch:
        """Settings of the fundamental frequency."""
        return self.family(Pitch)

    @property
    def rms(self) -> Rms:
        """Settings of the level (there are none)."""
        return self.family(Rms)

    @property
    def chroma(self) -> Chroma:
        """Settings of the pitch classes."""
        return self.family(Chroma)

    @property
    def spectral_contrast(self) -> SpectralContrast:
        """Settings of the spectral contrast."""
        return self.family(SpectralContrast)

    @property
    def order(self) -> tuple[str, ...]:
        """Names of the families, in their order within a row."""
        return tuple(family.NAME for family in self.families)

    @property
    def columns(self) -> dict[str, slice]:
        """Columns of every family by its name."""
        found, at = {}, 0
        for family in self.families:
            end = at + len(family.feature_names)
            found[family.NAME] = slice(at, end)
            at = end
        return found

    @property
    def n_features(self) -> int:
        """Width of a feature row: 34 with the defaults."""
        return len(self.feature_names)

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Name of every column of a feature row, in order."""
        return tuple(name for family in self.families for name in family.feature_names)

    def n_frames(self, n_samples: int) -> int:
        """Whole frames in ``n_samples`` samples (no padding, no centring)."""
        n = as_whole(n_samples, "n_samples", _COUNT, -_MOST, _MOST)
        return max(0, 1 + (n - self.win_length) // self.hop_length)

    def n_samples(self, n_frames: int) -> int:
        """Count the samples that ``n_frames`` frames span."""
        n = as_whole(n_frames, "n_frames", _COUNT, -_MOST, _MOST)
        return 0 if n <= 0 else (n - 1) * self.hop_length + self.win_length

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types, flat, the inverse of :meth:`from_dict`."""
        settings = _settings(self)
        present = {family.NAME: family for family in self.families}
        for name in FAMILIES:
            if name in present:
                settings.update(_settings(present[name]))
        if self.front_end is not None:
            settings.update(_settings(self.front_end))
        return {**settings, "order": list(self.order)}

    @classmethod
    def from_dict(cls, settings: Mapping[str, Any]) -> FeatureSpec:
        """Build from :meth:`to_dict`'s output, of this version or of an earlier one.

        Parameters
        ----------
        settings : mapping
            ``order`` says which families there are; one that it does not name is absent, and so
            is the front end where no setting of it is given.  A setting of what is there takes
            its default where it is missing, which the fingerprint beside it in an artifact then
            confirms or not.

        Raises
        ------
        ParameterError
            If a key is unknown (the nearest known one is named), belongs to a family that
            ``order`` does not name, or is missing from the frame geometry; or as on creation.
        """
        if not isinstance(settings, Mapping):
            raise ParameterError(
                f"feature_spec is {shown(settings)}, an object of settings is wanted"
            )
        keys = {name: _keys(kind) for name, kind in FAMILIES.items()}
        geometry, known = _keys(cls), default_settings()
        for key in settings:
            if key not in known:
                raise ParameterError(_unknown("feature_spec has the unknown key", key, known))
        missing = [key for key in (*geometry, "order") if key not in settings]
        if missing:
            raise ParameterError(
                f"feature_spec lacks {missing}: it was written by another version of edge-ser"
            )
        order = _order(settings["order"])
        for name, own in keys.items():
            unused = [key for key in own if key in settings and name not in order]
            if unused:
                raise ParameterError(
                    f"feature_spec sets {unused[0]}, but its order {shown(order)} is without "
                    f"{name!r}"
                )
        families = tuple(_from_keys(FAMILIES[name], keys[name], settings) for name in order)
        front_end = {
            name: settings[key] for key, name in _keys(FrontEnd).items() if key in settings
        }
        return cls(
            **{name: settings[key] for key, name in geometry.items()},
            families=families,
            front_end=FrontEnd(**front_end) if front_end else None,
        )

    def with_settings(self, **changes: Any) -> FeatureSpec:
        """Copy the spec with some settings changed, by their names in the canonical JSON.

        A recipe's ``[features]`` goes through here.  With ``order`` families come and go: new
        ones with their defaults, where nothing else is said.  A setting of the front end brings
        one.

        Examples
        --------
        >>> FeatureSpec().with_settings(hop_length=256, pitch_fmax_hz=500).pitch.fmax_hz
        500.0
        """
        settings = self.to_dict()
        for name in set(self.order) - set(_order(changes.get("order", self.order))):
            for key in _keys(FAMILIES[name]):
                del settings[key]
        return self.from_dict({**settings, **changes})

    def canonical_json(self) -> str:
        """Write the settings as JSON with sorted keys and no white space."""
        return json.dumps(self.to_dict(), sort_keys=True, separators=(",", ":"))

    @property
    def fingerprint(self) -> str:
        """SHA-256 of :meth:`canonical_json`, as hexadecimal."""
        return sha256_hex(self.canonical_json().encode())


def default_settings() -> dict[str, Any]:
    """List every setting that there is, by its name in the canonical JSON, with its default."""
    found = _settings(FeatureSpec())
    for kind in (*FAMILIES.values(), FrontEnd):
        found.update(_settings(kind()))
    return {**found, "order": FeatureSpec().order}


def _keys(kind: type[Any]) -> dict[str, str]:
    """Keys in the JSON of a record's settings, with the names of its fields."""
    keys = {}
    for field in dataclasses.fields(kind):
        key = setting_key(field)
        if key is not None:
            keys[key] = field.name
    return keys


def _settings(record: Any) -> dict[str, Any]:
    return {key: getattr(record, name) for key, name in _keys(type(record)).items()}


def _from_keys(kind: type[Family], keys: Mapping[str, str], settings: Mapping[str, Any]) -> Family:
    return kind(**{name: settings[key] for key, name in keys.items() if key in settings})


def _order(order: Any) -> tuple[str, ...]:
    """Check what names the families."""
    if not isinstance(order, tuple | list) or not order:
        raise ParameterError(
            f"order is {shown(order)}, a list of some of {tuple(FAMILIES)} is wanted"
        )
    for name in order:
        if not isinstance(name, str) or name not in FAMILIES:
            raise ParameterError(_unknown("order names the unknown family", name, FAMILIES))
    return tuple(order)


def _unknown(sentence: str, key: object, known: Sequence[str] | Mapping[str, Any]) -> str:
    nearest = difflib.get_close_matches(shown(key).strip("'"), list(known), n=1, cutoff=0.4)
    if nearest:
        return f"{sentence} {shown(key)}, {nearest[0]!r} is the nearest that there is"
    return f"{sentence} {shown(key)}: it was written by another version of edge-ser"
