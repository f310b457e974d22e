"""The sizes of a CLAF-SER that an artifact holds."""

from __future__ import annotations

from edge.artifact import Manifest
from edge.errors import ArtifactError
from edge.models.claf_ser import ClafSerSizes

__all__ = ["claf_ser_sizes"]


def claf_ser_sizes(manifest: Manifest) -> ClafSerSizes:
    """Sizes of a manifest's network.

    Raises
    ------
    ArtifactError
        If it is of another architecture, which the workstation cannot take apart.
    """
    sizes = manifest.architecture
    if not isinstance(sizes, ClafSerSizes):
        raise ArtifactError(f"{manifest.name} is {sizes.type!r}, a CLAF-SER is wanted here")
    return sizes
