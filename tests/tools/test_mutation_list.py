"""The list of mutants fits the code: each changes one place, and its tests are there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import mutation_check


def test_every_mutant_fits_the_code() -> None:
    may_survive, mutants = mutation_check.read_list()
    assert len(mutants) >= 130
    assert sum(mutant.file.startswith("quantize/") for mutant in mutants) >= 30
    assert may_survive <= 2
    assert len({mutant.title for mutant in mutants}) == len(mutants)


def test_a_mutant_that_a_test_notices_is_killed_and_the_checkout_is_put_back(
    tmp_path: Path,
) -> None:
    test = "from code_under_test import ANSWER\n\ndef test_it():\n    assert ANSWER == 42\n"
    (tmp_path / "code_under_test.py").write_text("ANSWER = 42\n")
    (tmp_path / "test_it.py").write_text(test)
    killed = mutation_check.Mutant("code_under_test.py", "42", "43", ("test_it.py",), "another")
    same = mutation_check.Mutant("code_under_test.py", "42", "42 ", ("test_it.py",), "the same")
    assert mutation_check.is_killed(killed, tmp_path)
    assert not mutation_check.is_killed(same, tmp_path)
    assert (tmp_path / "code_under_test.py").read_text() == "ANSWER = 42\n"


def test_a_list_that_no_longer_fits_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "mutants.toml"
    path.write_text(
        'may_survive = 0\n[[mutant]]\nfile = "edge/errors.py"\nnote = "n"\nfind = "nowhere"\n'
        'put = "x"\ntests = ["tests/edge"]\n'
    )
    with pytest.raises(ValueError, match=r"'nowhere' is there 0 times, once is wanted"):
        mutation_check.read_list(path)
