"""The recurrent decoder: its convolution is the recurrence; else it is as the harmonic one."""

import dataclasses

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from sparse_codec import CodecConfig, EncodeOptions, SparseCodec, TrainingConfig
from sparse_codec.config import RecurrentDecoderConfig
from sparse_codec.events import join
from sparse_codec.model.decoder import Stages
from sparse_codec.model.events import Events
from sparse_codec.model.recurrent_decoder import Modes, RecurrentDecoder
from sparse_codec.model.spectrogram import magnitudes, place
from sparse_codec.training.trainer import Trainer

QUICK = EncodeOptions(candidates=2, interim=0, refine=2)


@pytest.fixture(scope="module")
def config(small_config) -> CodecConfig:
    decoder = RecurrentDecoderConfig(**vars(small_config.decoder), states=4)
    return dataclasses.replace(small_config, decoder=decoder)


@pytest.fixture(scope="module")
def codec(config) -> SparseCodec:
    torch.manual_seed(0)
    return SparseCodec(config).eval()


@pytest.fixture(scope="module")
def beating() -> RecurrentDecoder:
    """A decoder of the shipped size whose modes turn; those of an untrained one stand still."""
    torch.manual_seed(3)
    decoder = RecurrentDecoder(CodecConfig(decoder=RecurrentDecoderConfig(glide=2.0)))
    with torch.no_grad():
        last = decoder.read[-1]
        last.weight[-100:] = last.weight[:100]
        last.bias[-100:] = torch.linspace(-0.3, 0.3, 100)
    return decoder


@pytest.fixture(scope="module")
def vectors() -> torch.Tensor:
    return torch.rand(6, 32, generator=torch.Generator().manual_seed(1)) * 1.6 - 0.8


def step_by_step(modes: Modes, envelopes: torch.Tensor, age: torch.Tensor) -> torch.Tensor:
    """States (E, 2, S, L) by the recurrence itself, one age after another."""
    step = age[0, 1] - age[0, 0]
    turn = torch.exp(-torch.complex(modes.fall, modes.turn) * step)[:, None]
    state, states = torch.zeros(len(age), 2, modes.fall.shape[1], dtype=torch.cfloat), []
    for at in range(age.shape[1]):
        since = age[:, at, None].clamp(torch.zeros(()), step)
        weight = 1 - torch.exp(-modes.fall * since)[:, None]
        state = turn * state + weight * envelopes[:, :, at, None]
        states.append(state)
    return torch.stack(states, -1)


@torch.no_grad()
@pytest.mark.parametrize("step", [1.0, 0.25])
def test_the_convolution_is_the_recurrence(beating, vectors, step):
    sound = beating.sounding(vectors)
    age = (torch.arange(80) * step - 2.3).expand(len(vectors), -1)
    envelopes = beating.excite(sound, beating.ages(age))
    assert sound.resonance.turn.abs().max() > 0.1
    states = beating.ring(sound.resonance, envelopes, age)
    expected = step_by_step(sound.resonance, envelopes, age)
    torch.testing.assert_close(states, expected, rtol=1e-3, atol=1e-4)


@torch.no_grad()
def test_modes_ring_on_after_an_excitation_ends_and_beat(beating):
    modes = Modes(
        torch.tensor([[0.02, 0.02]]),
        torch.tensor([[0.3, -0.3]]),
        torch.ones(1, 1, 2, dtype=torch.cfloat),
    )
    age = torch.arange(60.0)[None]
    envelopes = torch.zeros(1, 2, 60)
    envelopes[:, :, :3] = 1.0
    level = beating.ring(modes, envelopes, age)[0, 0].sum(0).abs()
    rises = (level[4:].diff() > 0).float().diff().ne(0).sum()
    assert level[40:].max() > 0.1 * level.max() and rises >= 4


@torch.no_grad()
def test_the_sound_has_the_spectrogram_that_is_subtracted(beating, vectors):
    offsets = torch.zeros(len(vectors))
    meant = beating.spectrograms(vectors, offsets)
    room = beating.render(vectors, offsets).room
    sound = magnitudes(F.pad(room, (1024, 1024)), 2048, 512)[:, :, : meant.shape[2]]
    cosine = (sound * meant).sum((1, 2)) / (sound.norm(dim=(1, 2)) * meant.norm(dim=(1, 2)))
    assert (cosine > 0.9).all(), cosine
    assert sound.norm(dim=(1, 2)) == pytest.approx(meant.norm(dim=(1, 2)), rel=0.25)


@torch.no_grad()
def test_it_has_the_interface_of_the_harmonic_decoder(beating, vectors):
    frames = torch.tensor([[0, 1, 149], [148, 60, 30]])
    gains = torch.tensor([[1.0, 0.3, 2.0], [0.5, 0.0, 4.0]])
    offsets = torch.linspace(-0.5, 0.49, 6)
    events = Events(vectors.view(2, 3, 32), frames, offsets.view(2, 3), gains)
    scene = beating.scene(events, 150)
    spectra = beating.spectrograms(vectors, offsets) * gains.flatten()[:, None, None]
    summed = place(spectra, frames.flatten(), beating.lead, 150).view(2, 3, 1025, 150).sum(1)
    torch.testing.assert_close(scene, summed, rtol=1e-4, atol=1e-5)
    stages = beating.render(vectors, offsets)
    assert isinstance(stages, Stages) and stages.room.shape == (6, 128 * 512)
    assert torch.isfinite(stages.room).all()
    assert not torch.allclose(stages.excitation, stages.resonance)


def test_gradients_reach_every_parameter_and_every_number_of_an_event(beating, vectors):
    frames = torch.arange(0, 60, 10)[None]
    free = Events(vectors.clone()[None], frames, torch.zeros(1, 6), torch.ones(1, 6))
    for column in (free.vectors, free.offsets, free.gains):
        column.requires_grad_(True)
    target = torch.rand(1, 1025, 150, generator=torch.Generator().manual_seed(2))
    (beating.scene(free, 150) - target).pow(2).sum().backward()
    for name in ("vectors", "offsets", "gains"):
        gradient = getattr(free, name).grad
        assert torch.isfinite(gradient).all() and (gradient.abs() > 0).all(), name
    for name, weights in beating.named_parameters():
        assert torch.isfinite(weights.grad).all() and weights.grad.abs().sum() > 0, name


def test_untrained_modes_fall_at_rates_that_differ_and_stand_still(codec):
    modes = codec.decoder.sounding(torch.zeros(1, 32)).resonance
    assert (modes.fall.diff() > 0).all() and not modes.turn.any()


def test_it_is_trained_by_the_same_script_and_comes_back_from_its_file(
    config, recordings, tmp_path
):
    training = TrainingConfig(steps=3, batch=3, pool=6, scenes=2)
    run = Trainer(config, training, recordings, "cpu", log=lambda line: None)
    before = [weights.clone() for weights in run.codec.decoder.parameters()]
    run.run(tmp_path)
    after = run.codec.decoder.parameters()
    assert not any(torch.equal(b, a) for b, a in zip(before, after, strict=True))
    codec = SparseCodec.load(tmp_path / "model.safetensors")
    assert isinstance(codec.decoder, RecurrentDecoder) and codec.config == config
    assert codec.card["steps"] == 3


def test_it_encodes_in_blocks_and_plays_as_it_comes(codec, music):
    audio = music[: 2**16]
    windows = list(codec.stream(np.array_split(audio, 7), QUICK))
    whole = codec.encode(audio, options=QUICK)
    assert len(windows) == 4 and len(whole) and join(windows).to_json() == whole.to_json()
    sound = codec.decode(whole)
    assert sound.shape == audio.shape and np.isfinite(sound).all() and sound.any()
    np.testing.assert_array_equal(np.concatenate(list(codec.play(windows))), sound)
