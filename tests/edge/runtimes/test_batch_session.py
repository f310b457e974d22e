"""Sessions that answer many examples at once, each as if it were alone."""

from __future__ import annotations

import numpy as np
import pytest

from edge.bundled import MODELS, MODELS_DIR
from edge.errors import ParameterError
from edge.runtimes.base import BatchSession
from edge.stream.loading import load


@pytest.mark.parametrize("n_examples", [1, 2, 3, 5, 8, 13, 35])
def test_every_example_is_answered_as_alone(n_examples: int) -> None:
    model = load(MODELS_DIR / MODELS["claf-ser-tiny"]["numpy"], backend="numpy").model
    rng = np.random.default_rng(n_examples)
    # Of very different size, so that one would be heard in another's answer.
    examples = [(rng.normal(0.0, 1.0 + k, (61, 35))).astype(np.float32) for k in range(n_examples)]
    session, alone = model.session(), model.session()
    assert isinstance(session, BatchSession)
    found = session.infer_each(examples, 0)
    wanted = np.concatenate([alone.infer(example[None], 0) for example in examples])
    assert (found.shape, found.dtype) == (wanted.shape, wanted.dtype)
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-5)
    with pytest.raises(ParameterError, match="features have shape"):
        session.infer_each([example[:, :-1] for example in examples], 0)


def test_a_model_rounded_by_the_range_of_a_batch_is_asked_one_by_one() -> None:
    pytest.importorskip("onnxruntime")
    model = load(MODELS_DIR / MODELS["claf-ser-tiny"]["onnx"], backend="onnx").model
    assert not isinstance(model.session(), BatchSession)
