"""Colours of labels: known words keep theirs, others the same one in every model and process."""

from __future__ import annotations

import subprocess
import sys

from hypothesis import given
from hypothesis import strategies as st

from edge.stream.label_colours import colour_places

KNOWN = {"sad": 0, "angry": 1}
LABELS = st.lists(st.text(max_size=5) | st.sampled_from(sorted(KNOWN)), unique=True, max_size=20)


@given(LABELS, st.randoms())
def test_each_has_one_whatever_the_order(labels, random):
    places = colour_places(labels, KNOWN, 8)
    assert list(places) == labels
    assert all(0 <= place < 8 for place in places.values())
    assert all(places[label] == KNOWN[label] for label in labels if label in KNOWN)
    shuffled = random.sample(labels, len(labels))
    assert colour_places(shuffled, KNOWN, 8) == places
    if len(labels) <= 8:
        assert len(set(places.values())) == len(labels)


def test_a_word_has_the_same_colour_in_another_process():
    labels = ["calm-down", "cheering", "crying"]
    code = (
        "from edge.stream.label_colours import colour_places;"
        f"print(list(colour_places({labels}, {{}}, 13).values()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(list(colour_places(labels, {}, 13).values()))
