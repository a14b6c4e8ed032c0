"""The harmonic decoder: its spectrogram, its sound and its shortcut must say the same."""

import pytest
import torch
from torch.nn import functional as F

from sparse_codec import CodecConfig, SparseCodec
from sparse_codec.spectrogram import magnitudes


@pytest.fixture(scope="module")
def codec():
    torch.manual_seed(3)
    return SparseCodec(CodecConfig())


@pytest.fixture(scope="module")
def vectors():
    return torch.rand(6, 32, generator=torch.Generator().manual_seed(1)) * 1.6 - 0.8


@pytest.mark.parametrize("frames", [[0, 3, 127, 60, 100, 31]])
def test_match_equals_the_inner_products_of_full_spectrograms(codec, vectors, frames):
    residual = torch.randn(1, 1025, 256, generator=torch.Generator().manual_seed(2))
    offsets = torch.linspace(-0.5, 0.49, 6)
    target = codec.around(residual, torch.tensor([frames]))
    product, size = codec.decoder.match(target, vectors, offsets)
    events = codec.decoder.spectrograms(vectors, offsets) * target.mask[:, None]
    torch.testing.assert_close(product, (target.spectrum * events).sum((1, 2)), rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(size, events.pow(2).sum((1, 2)), rtol=1e-3, atol=1e-5)


@torch.no_grad()
def test_the_sound_has_the_spectrogram_that_is_subtracted(codec, vectors):
    sound = codec.decoder.render(vectors, torch.zeros(len(vectors))).room
    shown = magnitudes(F.pad(sound, (1024, 1024)), 2048, 512)
    meant = codec.decoder.spectrograms(vectors, torch.zeros(len(vectors)))
    shown = shown[:, :, : meant.shape[2]]
    cosine = (shown * meant).sum((1, 2)) / (shown.norm(dim=(1, 2)) * meant.norm(dim=(1, 2)))
    assert (cosine > 0.9).all(), cosine
    assert shown.norm(dim=(1, 2)) == pytest.approx(meant.norm(dim=(1, 2)), rel=0.25)


@torch.no_grad()
def test_stages_differ_and_the_last_is_the_event(codec, vectors):
    stages = codec.decoder.render(vectors, torch.zeros(len(vectors)))
    assert stages.excitation.shape == stages.resonance.shape == stages.room.shape == (6, 128 * 512)
    assert not torch.allclose(stages.excitation, stages.resonance)
    assert not torch.allclose(stages.resonance, stages.room)
    assert torch.isfinite(stages.room).all() and (stages.room.abs().amax(1) > 0).all()
    assert stages.room[:, -1].abs().max() < 1e-4  # faded out


@torch.no_grad()
def test_pitch_is_the_first_number(codec):
    """An octave is 12 of the 80 semitones that -1..1 spans."""
    pitch = torch.tensor([[0.0], [24 / 80]])
    low, high = codec.decoder.frequencies(pitch)[:, 0]
    assert high / low == pytest.approx(2.0, rel=1e-5)


@torch.no_grad()
def test_rendering_is_the_same_every_time(codec, vectors):
    assert torch.equal(
        codec.decoder.render(vectors, torch.zeros(len(vectors))).room,
        codec.decoder.render(vectors, torch.zeros(len(vectors))).room,
    )


def test_gradients_reach_every_number_of_a_vector(codec, vectors):
    free, offsets = vectors.clone().requires_grad_(True), torch.zeros(6, requires_grad=True)
    target = codec.around(torch.rand(1, 1025, 256), torch.arange(6)[None])
    product, size = codec.decoder.match(target, free, offsets)
    (product / size.sqrt()).sum().backward()
    assert (free.grad.abs() > 0).all() and (offsets.grad.abs() > 0).all()
