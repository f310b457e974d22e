"""Whether the settings that lie beside a checkpoint are those of its own training."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

__all__ = ["FREE", "SETTINGS_DIGEST", "differs_from", "settings_digest"]

#: Key of the settings' digest in what a checkpoint says of its training.
SETTINGS_DIGEST = "settings_sha256"

#: What may differ between a training and its going on.
FREE = frozenset({"commit"})


def settings_digest(config: Mapping[str, Any]) -> str:
    """SHA-256 of all settings of a training but what may differ when it goes on.

    Parameters
    ----------
    config : mapping
        As it is written into the run's folder.
    """
    kept = {name: value for name, value in config.items() if name not in FREE}
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()


def differs_from(config: Mapping[str, Any], training: Mapping[str, Any]) -> str | None:
    """Say in what a run's settings are not those that its checkpoint tells of.

    Parameters
    ----------
    config : mapping
        What lies in the settings' file.
    training : mapping
        What the checkpoint says of its training; what it does not say is not compared.
    """
    settings, run = config.get("training"), config.get("run")
    places: dict[str, Any] = {
        "clips": config,
        "recipe": config,
        "teachers": config,
        "epochs": settings,
        "seed": settings,
        "n_variants": run,
    }
    for name, table in places.items():
        if name not in training or not isinstance(table, Mapping):
            continue
        # Of before they were told, but for the clips, which both have told from the first.
        if (name in table or name == "clips") and table.get(name) != training[name]:
            return name.replace("n_variants", "variants")
    digest = training.get(SETTINGS_DIGEST)
    return "settings" if digest and digest != settings_digest(config) else None
