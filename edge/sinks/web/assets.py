"""The files of the page, as they are sent."""

from __future__ import annotations

import base64
import dataclasses
import functools
import hashlib
from importlib import resources

__all__ = ["Assets", "read_assets"]

_LINK = b'<link rel="stylesheet" href="page.css">'


@dataclasses.dataclass(frozen=True, slots=True)
class Assets:
    """What a browser is given.

    Parameters
    ----------
    html : bytes
        The page with its style within: it is drawn as soon as it is there.
    script : bytes
    style_hash : str
        By which the browser tells this style from one that somebody else put in.
    """

    html: bytes
    script: bytes
    style_hash: str


@functools.cache
def read_assets() -> Assets:
    """Read the files of the package."""
    folder = resources.files("edge.sinks.web").joinpath("page")
    style = folder.joinpath("page.css").read_bytes()
    html = folder.joinpath("index.html").read_bytes()
    digest = base64.b64encode(hashlib.sha256(style).digest()).decode()
    return Assets(
        html.replace(_LINK, b"<style>" + style + b"</style>"),
        folder.joinpath("page.js").read_bytes(),
        f"sha256-{digest}",
    )
