"""Many networks as one say and learn what each of them would for itself."""

from __future__ import annotations

import pytest
import torch

from benchmarks.levers.lstm import PLAIN, Lstm
from benchmarks.levers.networks import Dropout, Layout, said
from quantize.models.claf_ser import CLAFSER
from quantize.models.config import ClafSerConfig

CONFIG = ClafSerConfig(n_features=35, frame_stack=3, hidden=24, n_domains=6)
LENGTHS = (33, 31, 16)
T, B = 33, 4


@pytest.fixture(scope="module")
def networks() -> list[CLAFSER]:
    torch.manual_seed(0)
    return [CLAFSER(CONFIG).eval() for _ in LENGTHS]


def questions() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    rng = torch.Generator().manual_seed(1)
    rows = torch.randn(len(LENGTHS), B, T, CONFIG.n_features, generator=rng)
    languages = torch.randint(0, CONFIG.n_domains + 1, (len(LENGTHS), B), generator=rng)
    return rows, torch.tensor(LENGTHS)[:, None], languages


def test_answers_and_gradients_are_those_of_each_network_with_a_mask(
    networks: list[CLAFSER],
) -> None:
    layout = Layout(CONFIG, 34)
    vectors = torch.stack([layout.joined(network) for network in networks]).requires_grad_(True)
    rows, n_frames, languages = questions()
    nothing = Dropout(*(torch.zeros(len(LENGTHS)) for _ in range(2)))
    ours = said(layout, vectors, rows, n_frames, languages, dropout=nothing)
    assert ours.domain_logits is not None
    weights = torch.arange(8.0)
    total = (ours.logits * weights).sum() + (ours.domain_logits * weights[:6]).sum()
    (gradient,) = torch.autograd.grad(total, vectors)
    for number, network in enumerate(networks):
        mask = (torch.arange(T) < LENGTHS[number]).expand(B, T)
        theirs = network(rows[number], languages[number], mask, alpha=1.0)
        torch.testing.assert_close(ours.logits[number], theirs.logits, atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(ours.pooled[number], theirs.pooled, atol=1e-5, rtol=1e-5)
        network.zero_grad()
        ((theirs.logits * weights).sum() + (theirs.domain_logits * weights[:6]).sum()).backward()
        parts = layout.parts(gradient)
        for name, parameter in network.named_parameters():
            torch.testing.assert_close(
                parts[name][number], parameter.grad, atol=2e-4, rtol=1e-4, msg=name
            )


def test_networks_begin_as_the_product_does() -> None:
    layout = Layout(CONFIG, 34)
    torch.manual_seed(3)
    wanted = CLAFSER(CONFIG)
    state = torch.random.get_rng_state()
    torch.manual_seed(3)
    begun = layout.parts(layout.drawn(3)[None])
    for name, parameter in wanted.named_parameters():
        assert torch.equal(begun[name][0], parameter)
    # Who draws weights takes no chance away from crops.
    torch.manual_seed(3)
    CLAFSER(CONFIG)
    assert torch.equal(torch.random.get_rng_state(), state)


def test_functionals_are_mean_and_spread_of_the_real_frames(networks: list[CLAFSER]) -> None:
    layout = Layout(CONFIG, 34)
    vectors = torch.stack([layout.joined(n, torch.randn(128, 68)) for n in networks])
    rows, n_frames, languages = questions()
    hears = torch.tensor([1.0, 1.0, 0.0])
    with_them = said(layout, vectors, rows, n_frames, languages, functionals=hears).logits
    without = said(layout, vectors, rows, n_frames, languages).logits
    assert torch.equal(with_them[2], without[2])
    assert not torch.allclose(with_them[0], without[0])
    # What comes after the end is no part of them.
    rows[1, :, LENGTHS[1] :] = 99.0
    again = said(layout, vectors, rows, n_frames, languages, functionals=hears).logits
    torch.testing.assert_close(again, with_them)


def test_the_gradient_by_hand_is_that_of_differences() -> None:
    torch.manual_seed(0)
    sums = torch.randn(4, 2, 3, 8, dtype=torch.float64, requires_grad=True)
    recurrent = torch.randn(2, 2, 8, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda a, b: Lstm.apply(a, b, PLAIN), (sums, recurrent))
