"""CLAF-SER: sizes, masks, gradient reversal."""

from __future__ import annotations

import pytest
import torch

from edge.errors import ParameterError
from quantize.models.claf_ser import (
    CLAFSER,
    PARTS,
    ClafSerConfig,
    reverse_gradient,
    stack_frames,
)


def small(seed: int = 0, **sizes: int) -> CLAFSER:
    torch.manual_seed(seed)
    return CLAFSER(ClafSerConfig(hidden=16, n_heads=2, classifier=24, **sizes)).eval()


def test_paper_sizes_give_the_known_number_of_parameters():
    # BiLSTM 167,936 + attention 263,168 + Conv1D 1,648 + 5 language rows 1,280 + MLP 36,232.
    assert CLAFSER().n_parameters() == 470_264


@pytest.mark.parametrize("frame_stack", [1, 2, 3])
@pytest.mark.parametrize("n_padding", [1, 7, 40])
def test_padding_never_changes_a_result(n_padding, frame_stack):
    model = small(frame_stack=frame_stack)
    x = torch.randn(3, 20, 34)
    language = torch.tensor([4, 4, 1])
    plain = model(x, language)
    padded = torch.cat([x, torch.full((3, n_padding, 34), 1e3)], dim=1)
    mask = torch.zeros(3, 20 + n_padding, dtype=torch.bool)
    mask[:, :20] = True
    masked = model(padded, language, mask)
    torch.testing.assert_close(masked.logits, plain.logits, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(masked.domain_logits, plain.domain_logits, atol=1e-5, rtol=1e-5)


def test_stacked_frames_lie_side_by_side_and_the_last_one_fills_up():
    x = torch.arange(10.0).reshape(1, 5, 2)
    assert stack_frames(x, 1) is x
    assert stack_frames(x, 2).tolist() == [[[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 8, 9]]]
    assert stack_frames(x, 3).tolist() == [[[0, 1, 2, 3, 4, 5], [6, 7, 8, 9, 8, 9]]]
    assert stack_frames(x[:, :1], 3).tolist() == [[[0, 1] * 3]]
    assert stack_frames(x[:, :4], 2).tolist() == [[[0, 1, 2, 3], [4, 5, 6, 7]]]


@pytest.mark.parametrize("without", [("attention",), ("phonetic",), ("language",), PARTS])
def test_a_part_left_out_has_no_weights_and_no_say(without):
    torch.manual_seed(0)
    config = ClafSerConfig(hidden=16, n_heads=2, classifier=24, without=without)
    model = CLAFSER(config).eval()
    weights = " ".join(model.state_dict())
    names = {"attention": "attention.", "phonetic": "conv.", "language": "language."}
    for part, name in names.items():
        assert (name in weights) == (part not in without)
    x = torch.randn(3, 20, 34)
    output = model(x, torch.tensor([4, 4, 4]))
    other = model(x, torch.tensor([0, 1, 2])).logits
    assert torch.equal(other, output.logits) == ("language" in without)
    if "attention" in without:
        torch.testing.assert_close(output.pooled, model.lstm(x)[0].mean(dim=1))
    assert ClafSerConfig.from_dict({**config.to_dict(), "without": list(without)}) == config


def test_an_unknown_part_cannot_be_left_out():
    with pytest.raises(ParameterError, match=r"without is .*'lstm'.*, a list of 'attention'"):
        ClafSerConfig(without=("lstm",))


def test_a_mixed_batch_equals_its_clips_alone():
    model = small()
    lengths = [5, 20, 13]
    clips = [torch.randn(1, n, 34) for n in lengths]
    batch = torch.zeros(3, 20, 34)
    mask = torch.zeros(3, 20, dtype=torch.bool)
    for i, clip in enumerate(clips):
        batch[i, : lengths[i]] = clip
        mask[i, : lengths[i]] = True
    together = model(batch, torch.tensor([4, 4, 4]), mask).logits
    for i, clip in enumerate(clips):
        alone = model(clip, torch.tensor([4])).logits
        torch.testing.assert_close(together[i : i + 1], alone, atol=1e-5, rtol=1e-5)


def test_attention_equals_torchs_own_followed_by_the_mean():
    model = small()
    h = torch.randn(3, 15, 32)
    attended = model.attention(h, h, h, need_weights=False)[0].mean(dim=1)
    torch.testing.assert_close(model._attend(h, None), attended, atol=1e-6, rtol=1e-5)


def test_reversal_is_identity_forward_and_minus_alpha_backward():
    x = torch.randn(4, requires_grad=True)
    y = reverse_gradient(x, 0.25)
    assert torch.equal(y, x)
    y.sum().backward()
    torch.testing.assert_close(x.grad, torch.full((4,), -0.25))


def test_domain_loss_pushes_the_encoder_the_other_way():
    model = small()
    x, language = torch.randn(2, 9, 34), torch.tensor([4, 4])
    grads = []
    for alpha in (1.0, -1.0):
        model.zero_grad()
        output = model(x, language, alpha=alpha)
        torch.nn.functional.cross_entropy(output.domain_logits, torch.tensor([0, 2])).backward()
        grads.append((model.lstm.weight_ih_l0.grad.clone(), model.domain[0].weight.grad.clone()))
    (encoder, domain), (encoder_not_reversed, domain_too) = grads
    torch.testing.assert_close(encoder, -encoder_not_reversed)
    torch.testing.assert_close(domain, domain_too)
    assert encoder.abs().max() > 0


def test_domain_branch_cannot_read_the_language_id():
    model = small()
    x = torch.randn(1, 9, 34)
    outputs = [model(x, torch.tensor([i])) for i in range(5)]
    for output in outputs[1:]:
        assert torch.equal(output.domain_logits, outputs[0].domain_logits)
        assert not torch.equal(output.logits, outputs[0].logits)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"hidden": 0}, "hidden is 0"),
        ({"hidden": 15, "n_heads": 4}, "n_heads 4 does not divide"),
        ({"conv_kernel": 4}, "an odd number is wanted"),
        ({"dropout": 1.0}, "dropout is 1.0"),
    ],
)
def test_impossible_sizes_are_refused(settings, message):
    with pytest.raises(ParameterError, match=message):
        ClafSerConfig(**settings)


def test_config_survives_json_and_refuses_unknown_keys():
    config = ClafSerConfig(hidden=48)
    assert ClafSerConfig.from_dict(config.to_dict()) == config
    with pytest.raises(ParameterError, match="unknown keys \\['layers'\\]"):
        ClafSerConfig.from_dict({"layers": 2})
