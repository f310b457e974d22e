"""Work buffers are lent, and as many are made as are used at the same moment."""

from __future__ import annotations

from edge.scratch import Scratch


def test_what_is_given_back_is_lent_again() -> None:
    made: list[object] = []

    def make() -> object:
        made.append(object())
        return made[-1]

    scratch = Scratch(make)
    scratch.prepare()
    scratch.prepare()
    first, second = scratch.take(), scratch.take()
    assert made == [first, second]
    assert first is not second
    scratch.give(second)
    scratch.give(first)
    # The one that the caches know best.
    assert scratch.take() is first
    assert len(made) == 2
