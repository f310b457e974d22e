"""Sizes of a pruned model, chosen by hand or by the share of the parameters that shall be left."""

from __future__ import annotations

from typing import Any

from edge.arrays import as_whole
from edge.errors import ParameterError
from quantize.basics.settings import ProperShare, check
from quantize.models.claf_ser import CLAFSER, ClafSerConfig
from quantize.models.shapes import shapes_alone
from quantize.prune.choices import PRUNABLE

__all__ = ["config_for_share", "n_exported", "pruned_config"]


def n_exported(config: ClafSerConfig) -> int:
    """Parameters of such a model that are exported, without making one."""
    with shapes_alone():
        return CLAFSER(config).n_parameters()


def pruned_config(config: ClafSerConfig, **sizes: int) -> ClafSerConfig:
    """Take some sizes of a model down.

    Parameters
    ----------
    config : ClafSerConfig
        Of the trained model.
    **sizes : int
        New values of fields of :data:`PRUNABLE`.

    Raises
    ------
    ParameterError
        If a size is none, is larger than the trained model's, or the sizes do not go together.
    """
    for name in sizes:
        if name not in PRUNABLE:
            raise ParameterError(f"{name} cannot be pruned, one of {', '.join(PRUNABLE)} is wanted")
    changes: dict[str, Any] = {
        name: as_whole(
            size,
            name,
            f"1 to {getattr(config, name)} is wanted, what the trained model has",
            1,
            getattr(config, name),
        )
        for name, size in sizes.items()
    }
    return config.replaced(**changes)


def config_for_share(config: ClafSerConfig, share: float) -> ClafSerConfig:
    """Choose sizes that leave at most a share of the exported parameters.

    Only the LSTM's units go, and with them the attention's width: they hold 96 % of the
    parameters and nearly all of the time. Their number goes down in steps of an eighth, 16 of 128:
    a matrix product takes as long for 88 columns as for 96.

    Parameters
    ----------
    config : ClafSerConfig
        Of the trained model.
    share : float
        Largest share of its parameters that may be left, above 0 and below 1.

    Raises
    ------
    ParameterError
        If the share is none, or no number of units brings the model so far down.
    """
    share = check(share, ProperShare, "the share of the parameters to leave")
    step = 2 ** max(0, (config.hidden // 8).bit_length() - 1)
    n_full = n_exported(config)
    least = 1.0
    for hidden in range((config.hidden - 1) // step * step, 0, -step):
        if 2 * hidden % config.n_heads:
            continue
        smaller = pruned_config(config, hidden=hidden)
        least = n_exported(smaller) / n_full
        if least <= share:
            return smaller
    raise ParameterError(
        f"the share of the parameters to leave is {share}, fewer LSTM units alone reach "
        f"{least:.2f}: name a larger share, or all sizes (--hidden, --heads, --conv, --classifier)"
    )
