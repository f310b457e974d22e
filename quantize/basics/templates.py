"""Pages and cards from the templates beside the modules that fill them in."""

from __future__ import annotations

import functools
from importlib import resources
from typing import Any

import jinja2

__all__ = ["render"]


def render(package: str, name: str, /, **values: Any) -> str:
    """Fill in a template of a package.

    Parameters
    ----------
    package : str
        Whose data it is, ``"quantize.search"``.
    name : str
        Its file.  In one that ends in ``.html.j2`` all values are text and none is markup.
    **values
        A name in the template that has none here is an error, not an empty text.
    """
    source = resources.files(package).joinpath(name).read_text(encoding="utf-8")
    return _environment(name.endswith(".html.j2")).from_string(source).render(values)


@functools.cache
def _environment(is_html: bool) -> jinja2.Environment:
    return jinja2.Environment(
        autoescape=is_html,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
