"""What a verdict is made of."""

from __future__ import annotations

import numpy as np
import pytest
from runtime_fakes import fake_classifier, voice

from edge.arrays import softmax


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_the_posterior_is_that_of_the_logits_at_the_model_s_temperature(
    temperature: float,
) -> None:
    classifier = fake_classifier()
    classifier.temperature = temperature
    samples = voice(32_000)
    decision = classifier.classify(samples, 16_000)[0]
    assert decision.posterior is not None
    rows = classifier.model.seen[0]
    logits = classifier.model.infer(rows, classifier.model.corpus)[0]
    np.testing.assert_allclose(
        list(decision.posterior.values()), softmax(logits, temperature), rtol=1e-12
    )
