"""The encoder of Whisper on tiny drawn weights, against the library's own way through it."""

from __future__ import annotations

import importlib.util
import json
import os
import pickle
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from edge.errors import MissingDependencyError, ParameterError
from quantize.basics.errors import EncoderError
from quantize.data.encoders.registry import EncoderChoice, open_encoder
from quantize.data.encoders.weights import read_tensors

needs_transformers = pytest.mark.skipif(
    importlib.util.find_spec("transformers") is None, reason="transformers is not installed"
)

N_LAYERS, WIDTH, N_POSITIONS = 3, 8, 20
#: What has a position of its own: two steps of 160 samples each.
N_MOST = N_POSITIONS * 2 * 160
SIZES = {
    "model_type": "whisper", "d_model": WIDTH, "encoder_layers": N_LAYERS,
    "encoder_attention_heads": 2, "encoder_ffn_dim": 16, "decoder_layers": 1,
    "decoder_attention_heads": 2, "decoder_ffn_dim": 16, "num_mel_bins": 12,
    "max_source_positions": N_POSITIONS, "vocab_size": 60, "pad_token_id": 0,
    "bos_token_id": 1, "eos_token_id": 2, "decoder_start_token_id": 1,
}  # fmt: skip


def drawn() -> dict[str, torch.Tensor]:
    """Weights of the encoder, with a decoder's beside them."""
    generator = torch.Generator().manual_seed(0)
    shapes = {"conv1": (WIDTH, 12, 3), "conv2": (WIDTH, WIDTH, 3), "layer_norm": (WIDTH,)}
    for n in range(N_LAYERS):
        at = f"layers.{n}."
        shapes |= {f"{at}self_attn.{p}_proj": (WIDTH, WIDTH) for p in ("q", "k", "v", "out")}
        shapes |= {f"{at}fc1": (16, WIDTH), f"{at}fc2": (WIDTH, 16)}
        shapes |= {f"{at}{p}_layer_norm": (WIDTH,) for p in ("self_attn", "final")}
    tensors = {"embed_positions.weight": torch.randn((N_POSITIONS, WIDTH), generator=generator)}
    for name, shape in shapes.items():
        tensors[f"{name}.weight"] = 0.5 * torch.randn(shape, generator=generator)
        if not name.endswith("k_proj"):
            tensors[f"{name}.bias"] = 0.5 * torch.randn(shape[:1], generator=generator)
    whole = {f"model.encoder.{name}": tensor for name, tensor in tensors.items()}
    return whole | {"model.decoder.layers.0.fc1.weight": torch.ones(16, WIDTH)}


def folder_of(path: Path, tensors: dict[str, torch.Tensor] | None = None, **sizes: object) -> Path:
    path.mkdir()
    (path / "config.json").write_text(json.dumps(SIZES | sizes))
    if tensors is not None:
        save_file(tensors, path / "model.safetensors")
    return path


@pytest.fixture
def weights(tmp_path):
    return folder_of(tmp_path / "tiny", drawn())


def sound(n_samples: int) -> np.ndarray:
    return 0.1 * np.random.default_rng(1).standard_normal(n_samples).astype(np.float32)


def whisper(folder: Path, layer: int | None = None):
    return open_encoder(EncoderChoice("whisper", folder, layer))


@needs_transformers
@pytest.mark.parametrize("layer", [1, 2, 3])
def test_a_clip_as_long_as_its_positions_is_heard_as_the_library_hears_it(weights, layer):
    from transformers import WhisperFeatureExtractor, WhisperModel

    model = WhisperModel.from_pretrained(weights, local_files_only=True).eval()
    heard = WhisperFeatureExtractor(feature_size=12)(
        sound(N_MOST), sampling_rate=16_000, padding=False, truncation=False, return_tensors="pt"
    )
    with torch.no_grad():
        said = model.encoder(heard["input_features"], output_hidden_states=True)
    # The last one that is told is layer-normed, as Whisper defines its output.
    wanted = said.hidden_states[layer][0].mean(dim=0).numpy()
    if layer == N_LAYERS:
        np.testing.assert_array_equal(said.hidden_states[layer], said.last_hidden_state)
    encoder = whisper(weights, layer)
    np.testing.assert_allclose(encoder.embed(sound(N_MOST)), wanted, atol=2e-6)
    assert (encoder.layer, encoder.n_layers, encoder.width) == (layer, N_LAYERS, WIDTH)


@needs_transformers
def test_nobody_is_asked_for_anything(weights, monkeypatch):
    def refuse(*_: object) -> None:
        raise AssertionError("a connection is opened")

    monkeypatch.setattr("socket.socket.connect", refuse)
    monkeypatch.setattr("socket.getaddrinfo", refuse)
    assert whisper(weights).embed(sound(1000)).shape == (WIDTH,)
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_HUB_DISABLE_TELEMETRY"):
        assert os.environ[name] == "1"


@needs_transformers
def test_a_short_clip_is_not_padded_and_a_long_one_is_heard_in_pieces(weights):
    encoder = whisper(weights)
    assert encoder.layer == 2
    short = sound(encoder.n_least)
    assert np.isfinite(encoder.embed(short)).all()
    padded = np.concatenate([short, np.zeros(N_MOST - short.size, np.float32)])
    assert np.abs(encoder.embed(short) - encoder.embed(padded)).max() > 0.01
    long = sound(2 * N_MOST)
    halves = [encoder.embed(half) for half in np.split(long, 2)]
    np.testing.assert_allclose(encoder.embed(long), np.mean(halves, axis=0), atol=2e-6)


@needs_transformers
def test_the_same_weights_in_any_file_are_the_same_encoder(weights, tmp_path):
    tensors = drawn()
    wanted = whisper(weights, 2)
    pickled = folder_of(tmp_path / "pickled")
    torch.save(tensors, pickled / "pytorch_model.bin")
    bare = folder_of(
        tmp_path / "bare", {n[len("model.") :]: t for n, t in tensors.items() if "encoder" in n}
    )
    parts = folder_of(tmp_path / "parts")
    names = sorted(tensors)
    for number, some in enumerate((names[:9], names[9:])):
        save_file({name: tensors[name] for name in some}, parts / f"part-{number}.safetensors")
    index = {name: f"part-{int(at >= 9)}.safetensors" for at, name in enumerate(names)}
    (parts / "model.safetensors.index.json").write_text(json.dumps({"weight_map": index}))
    for folder in (pickled, bare, parts):
        encoder = whisper(folder, 2)
        assert encoder.digest == wanted.digest
        np.testing.assert_array_equal(encoder.embed(sound(3000)), wanted.embed(sound(3000)))
    assert whisper(weights, 1).digest != wanted.digest
    halved = folder_of(tmp_path / "halved", {name: t.half() for name, t in tensors.items()})
    np.testing.assert_allclose(
        whisper(halved, 2).embed(sound(3000)), wanted.embed(sound(3000)), atol=0.02
    )


@needs_transformers
def test_weights_that_do_not_fit_are_one_sentence(tmp_path):
    tensors = drawn()
    lacking = {n: t for n, t in tensors.items() if n != "model.encoder.layers.1.fc1.bias"}
    for number, (given, sizes) in enumerate([
        (tensors, {"encoder_layers": 2}),
        (tensors, {"encoder_layers": 10**9}),
        (tensors, {"d_model": 16}),
        (tensors, {"encoder_attention_heads": 3}),
        (tensors, {"activation_function": "no such"}),
        (tensors, {"d_model": "wide"}),
        (lacking, {}),
        ({"other": torch.ones(1)}, {}),
    ]):  # fmt: skip
        folder = folder_of(tmp_path / str(number), given, **sizes)
        with pytest.raises(EncoderError, match="are not those of a Whisper with the sizes"):
            whisper(folder, 2)


def test_a_folder_that_holds_no_whisper_is_one_sentence(tmp_path):
    other = folder_of(tmp_path / "other", drawn(), model_type="wav2vec2")
    folder_of(tmp_path / "converted", drawn(), model_type=None)
    words = tmp_path / "words"
    words.mkdir()
    (words / "config.json").write_text("[")
    (tmp_path / "empty").mkdir()
    for name, told in (
        ("none", "is no folder"),
        ("empty", "cannot read .*config.json"),
        ("words", "is no JSON"),
        ("converted", "names no model_type: .* as Hugging Face publishes it"),
        (other, "of type 'wav2vec2'"),
    ):
        with pytest.raises(EncoderError, match=told):
            whisper(tmp_path / name)


@pytest.mark.parametrize("layer", [0, 4])
def test_a_layer_that_is_not_there_is_told_without_the_library(weights, layer, monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(ParameterError, match=rf"has 3 layers, and layer {layer} is asked for"):
        whisper(weights, layer)


def test_a_missing_library_is_named_with_what_to_type(weights, monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(MissingDependencyError, match=r'pip install "transformers>=5"'):
        whisper(weights)
    assert os.environ["HF_HUB_OFFLINE"] == "1"


class Trap:
    def __reduce__(self):
        return os.mkdir, (os.environ["EDGE_SER_TRAP"],)


def test_weights_are_read_as_data(tmp_path, monkeypatch):
    """A pickle that would run something is refused, and nothing ran."""
    monkeypatch.setenv("EDGE_SER_TRAP", str(tmp_path / "sprung"))
    folder = folder_of(tmp_path / "trap")
    with open(folder / "pytorch_model.bin", "wb") as file:
        pickle.dump({"model.encoder.conv1.weight": Trap()}, file)
    with pytest.raises(EncoderError, match="more than tensors"):
        read_tensors(folder, str)
    torch.save({"model.encoder.conv1.weight": Trap()}, folder / "pytorch_model.bin")
    with pytest.raises(EncoderError, match="more than tensors"):
        read_tensors(folder, str)
    assert not (tmp_path / "sprung").exists()


def test_damaged_weights_are_one_sentence(tmp_path):
    folder = folder_of(tmp_path / "tiny", drawn())
    path = folder / "model.safetensors"
    whole = path.read_bytes()
    for content in (b"", b"PK", whole[:100], whole[:-9]):
        path.write_bytes(content)
        with pytest.raises(EncoderError, match=r"is damaged|cannot read weights"):
            read_tensors(folder, str)
    path.unlink()
    with pytest.raises(EncoderError, match="holds no weights"):
        read_tensors(folder, str)
    for index in ("[", "{}", '{"weight_map": {"a": "../a"}}', '{"weight_map": {"a": "gone"}}'):
        (folder / "model.safetensors.index.json").write_text(index)
        with pytest.raises(EncoderError, match=r"cannot read weights|is damaged"):
            read_tensors(folder, str)
