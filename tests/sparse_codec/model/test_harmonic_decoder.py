"""The harmonic decoder: its spectrogram, its sound and its sum of events say the same."""

import dataclasses

import pytest
import torch
from torch.nn import functional as F

from benchmarks.plain_sound import plain_render
from sparse_codec import CodecConfig, SparseCodec
from sparse_codec.config import HarmonicDecoderConfig
from sparse_codec.model.events import Events
from sparse_codec.model.harmonic_decoder import HarmonicDecoder
from sparse_codec.model.spectrogram import magnitudes, place

MOVING = {"vibrato": 0.5, "scoop": 2.0}


@pytest.fixture(scope="module")
def codec():
    torch.manual_seed(3)
    return SparseCodec(CodecConfig())


@pytest.fixture(scope="module")
def vectors():
    return torch.rand(6, 32, generator=torch.Generator().manual_seed(1)) * 1.6 - 0.8


def moving(**sizes) -> HarmonicDecoder:
    """A decoder whose events change colour and pitch; those of an untrained one do not."""
    torch.manual_seed(3)
    decoder = HarmonicDecoder(CodecConfig(decoder=HarmonicDecoderConfig(**sizes)))
    with torch.no_grad():
        names = ("tilt", "glide", "rate")
        last, rows = decoder.read[-1], sum(decoder.counts.get(name, 0) for name in names)
        last.weight[-rows:] = last.weight[:rows]
        last.bias[-rows:] = torch.linspace(-1, 1, rows)
    return decoder


def cosine(a, b):
    return (a * b).sum((1, 2)) / (a.norm(dim=(1, 2)) * b.norm(dim=(1, 2)))


def shown(sound, n_frames):
    """Magnitudes of rendered events, from as far before the onset as the decoder draws."""
    return magnitudes(F.pad(sound, (1024, 1024)), 2048, 512)[:, :, :n_frames]


@torch.no_grad()
@pytest.mark.parametrize(
    "sizes",
    [{}, MOVING, {"glide": 2.0}, {"tilt": 0.0}, {"reverberation": ()}, {"noise_envelope": False}],
    ids=str,
)
def test_a_scene_is_the_sum_of_its_events_also_where_they_stick_out(vectors, sizes):
    decoder, n_frames = moving(**sizes), 150
    frames = torch.tensor([[0, 1, 149], [148, 60, 30]])  # the segment cuts off starts and ends
    offsets = torch.linspace(-0.5, 0.49, 6).view(2, 3)
    gains = torch.tensor([[1.0, 0.3, 2.0], [0.5, 0.0, 4.0]])
    scene = decoder.scene(Events(vectors.view(2, 3, 32), frames, offsets, gains), n_frames)
    spectra = decoder.spectrograms(vectors, offsets.flatten()) * gains.flatten()[:, None, None]
    placed = place(spectra, frames.flatten(), decoder.lead, n_frames)
    summed = placed.view(2, 3, 1025, n_frames).sum(1)
    assert (summed.norm(dim=(1, 2)) > 1).all()
    torch.testing.assert_close(scene, summed, rtol=1e-4, atol=1e-5)


@torch.no_grad()
@pytest.mark.parametrize("glide", [0.0, 2.0])
def test_the_sound_has_the_spectrogram_that_is_subtracted(vectors, glide):
    decoder, offsets = moving(glide=glide), torch.zeros(len(vectors))
    meant = decoder.spectrograms(vectors, offsets)
    sound = shown(decoder.render(vectors, offsets).room, meant.shape[2])
    assert (cosine(sound, meant) > 0.9).all(), cosine(sound, meant)
    assert sound.norm(dim=(1, 2)) == pytest.approx(meant.norm(dim=(1, 2)), rel=0.25)


@torch.no_grad()
@pytest.mark.parametrize("sizes", [{"vibrato": 0.5}, {"scoop": 2.0}, {"glide": 2.0}], ids=str)
def test_a_pitch_that_moves_is_heard_to_move(vectors, sizes):
    """The sound is nearer to the event's own spectrogram than to that of a pitch that stands."""
    decoder, offsets = moving(**sizes), torch.zeros(len(vectors))
    low = vectors.clone()
    low[:, 0] = -0.5  # high partials of a vibrato are wider than the lobes that are drawn
    first = slice(0, 20)  # frames: a glide is short
    own = decoder.spectrograms(low, offsets)[..., first]
    sound = shown(decoder.render(low, offsets).room, first.stop)
    low[:, decoder.moving_numbers] = 0
    decoder.sizes = dataclasses.replace(decoder.sizes, glide=0.0)
    still = decoder.spectrograms(low, offsets)[..., first]
    assert (cosine(sound, own) > cosine(sound, still) + 0.01).all()


@torch.no_grad()
def test_a_pitch_ends_where_its_first_number_says(vectors):
    """A scoop is over after half a second, and a vibrato swings evenly around the pitch."""
    decoder = moving(vibrato=0.5, scoop=1.0)
    sound = decoder.sounding(vectors)
    bins = decoder.moving_bins(sound, decoder.ages(torch.arange(100.0).expand(6, -1)))
    octaves = torch.log2(bins[:, 0] / sound.bins[:, :1])
    assert octaves[:, 0] == pytest.approx(vectors[:, -1] / 12, rel=1e-4)  # it begins at its scoop
    depth = 0.5 / 12 * vectors[:, -3:-1].norm(dim=1)
    late = octaves[:, 30:]
    assert late.amax(1) == pytest.approx(depth, rel=0.1, abs=1e-3)
    assert late.amin(1) == pytest.approx(-depth, rel=0.1, abs=1e-3)


@torch.no_grad()
def test_how_a_pitch_moves_changes_no_colour(vectors):
    decoder, other = moving(vibrato=0.5, scoop=1.0), vectors.clone()
    other[:, decoder.moving_numbers] *= -1
    before, after = decoder.sounding(vectors), decoder.sounding(other)
    assert torch.equal(before.strength, after.strength) and torch.equal(before.bins, after.bins)
    assert not torch.equal(before.movement.scoop, after.movement.scoop)


@torch.no_grad()
def test_events_whose_pitches_stand_still_are_drawn_as_if_none_could_move(vectors):
    """Zeros in the numbers of a movement are no movement, to the last bit."""
    decoder, offsets = moving(vibrato=0.5, scoop=1.0), torch.zeros(len(vectors))
    still = vectors.clone()
    still[:, decoder.moving_numbers] = 0
    sound = decoder.sounding(still)
    assert decoder.stands_still(sound) and not decoder.stands_still(decoder.sounding(vectors))
    assert decoder.dry(still, offsets).bins.shape[2] == 1
    with torch.enable_grad():  # it takes a gradient to learn to move
        assert not decoder.stands_still(decoder.sounding(still.requires_grad_()))


@torch.no_grad()
def test_without_a_noise_envelope_noise_and_tone_share_one(vectors):
    own, shared = (moving(noise_envelope=own).sounding(vectors).envelope for own in (True, False))
    assert not torch.allclose(own[:, 0], own[:, 1])
    torch.testing.assert_close(shared, own[:, :1].expand(-1, 2, -1))


@torch.no_grad()
def test_without_rooms_the_sound_is_dry(vectors):
    decoder, offsets = moving(reverberation=()), torch.zeros(len(vectors))
    stages = decoder.render(vectors, offsets)
    end = (decoder.sizes.event_frames - 17) * decoder.config.hop  # before the fade
    assert torch.equal(stages.room[:, :end], stages.resonance[:, :end])
    meant = decoder.spectrograms(vectors, offsets)
    assert (cosine(shown(stages.room, meant.shape[2]), meant) > 0.9).all()


@torch.no_grad()
@pytest.mark.parametrize(
    "sizes",
    [{}, MOVING, {"glide": 2.0}, {"reverberation": ()}, {"event_frames": 12, "knots": (0, 2, 12)}],
    ids=str,
)
def test_the_sound_is_that_of_its_plainest_form(vectors, sizes):
    decoder, offsets = moving(**sizes), torch.linspace(-0.5, 0.5, 6)
    stages = decoder.render(vectors, offsets)
    plain = plain_render(decoder, vectors, offsets, torch.double)  # phases to the last bit
    for name, sound in vars(stages).items():
        expected = getattr(plain, name)
        peak = expected.abs().amax(1, keepdim=True)
        assert ((sound - expected).abs() <= 1e-6 * peak).all(), name
    assert torch.equal(decoder.sound(vectors, offsets), stages.room)


@torch.no_grad()
def test_a_partial_that_is_too_high_to_be_heard_takes_no_energy_of_the_impulses(codec, vectors):
    high = vectors.clone()
    high[:, 0] = torch.linspace(-1, 1, len(high))
    dry = codec.decoder.dry(high, torch.zeros(len(high)))
    impulses = codec.decoder.colourless(dry).amax(2)
    assert torch.equal(impulses > 0, dry.sound.strength > 0)
    assert not (impulses > 0).all() and (impulses > 0).any(1).all()


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
    one, other = (codec.decoder.render(vectors, torch.zeros(len(vectors))).room for _ in range(2))
    assert torch.equal(one, other)


@pytest.mark.parametrize("sizes", [{}, {"glide": 2.0}, MOVING], ids=str)
def test_gradients_reach_every_number_of_a_vector_the_time_and_the_gain(vectors, sizes):
    decoder = moving(**sizes)
    frames = torch.arange(0, 60, 10)[None]
    free = Events(vectors.clone()[None], frames, torch.zeros(1, 6), torch.ones(1, 6))
    for column in (free.vectors, free.offsets, free.gains):
        column.requires_grad_(True)
    target = torch.rand(1, 1025, 150, generator=torch.Generator().manual_seed(2))
    (decoder.scene(free, 150) - target).pow(2).sum().backward()
    for name in ("vectors", "offsets", "gains"):
        gradient = getattr(free, name).grad
        assert torch.isfinite(gradient).all() and (gradient.abs() > 0).all(), name
