"""Three codes of the same times: exact among each other, and with the gradients they promise."""

import dataclasses
from itertools import permutations

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from experiments.measurements.time_codes import CODES, Bits, Grid, OneHot, Seconds, Times
from sparse_codec import CodecConfig, EventSet, SparseCodec
from sparse_codec.config import FrameEncoderConfig, ResonanceDecoderConfig
from sparse_codec.model.events import Events

PAIRS = list(permutations(CODES.values(), 2))


def events_at(samples, n_samples: int, hop: int = 512) -> EventSet:
    """Silent events that start at these samples."""
    frames = np.rint(np.asarray(samples) / hop).astype(np.int64)
    offsets = (samples / hop - frames).astype(np.float32)
    n_events = len(frames)
    return EventSet(
        np.zeros((n_events, 4), np.float32),
        frames,
        offsets,
        np.zeros(n_events, np.float32),
        n_samples,
        22_050,
        hop,
    )


@pytest.mark.parametrize(("one", "other"), PAIRS)
@pytest.mark.parametrize("hop", [512, 256, 441, 300])
def test_every_sample_of_a_segment_survives_every_conversion(one, other, hop):
    n_samples = 2**17 if hop in (512, 256) else 2 * hop * 150
    for samples in np.array_split(np.arange(n_samples), 16):
        events = events_at(samples, n_samples, hop)
        again = one.of_events(events).to(other).onto(events)
        assert np.array_equal(again.onsets, samples)
        assert np.abs(again.offsets).max() <= 0.5


@pytest.mark.parametrize(("one", "other"), PAIRS)
@settings(deadline=None)
@example(times=[(0, -0.5)], hop=487)
@given(
    times=st.lists(st.tuples(st.integers(0, 199), st.floats(-0.5, 0.5, width=32))),
    hop=st.integers(1, 5000),
)
def test_fine_offsets_survive_to_the_sample(one, other, times, hop):
    frames, offsets = zip(*times, strict=True) if times else ((), ())
    events = dataclasses.replace(
        events_at(np.zeros(len(times)), 200 * hop, hop),
        frames=np.array(frames, np.int64),
        offsets=np.array(offsets, np.float32),
    )
    if len(times) and events.onsets.max() >= events.n_samples:
        with pytest.raises(ValueError, match="an event at sample"):
            one.of_events(events)
        return
    assert np.array_equal(one.of_events(events).to(other).onto(events).onsets, events.onsets)


def test_a_time_between_samples_stays_there_but_as_bits():
    events = dataclasses.replace(
        events_at(np.array([0]), 2**17), offsets=np.array([0.3 / 512], np.float32)
    )
    for code in (OneHot, Seconds):
        assert code.of_events(events).onto(events).offsets == pytest.approx(0.3 / 512)
    assert Bits.of_events(events).onto(events).offsets == 0


def test_a_segment_has_17_bits_the_highest_first():
    code = Bits.of_events(events_at(np.array([0, 1, 2**16, 2**17 - 1]), 2**17))
    assert code.bits.shape == (4, 17)
    assert code.bits.int().sum(1).tolist() == [0, 1, 1, 17] and code.bits[2, 0] and code.bits[1, -1]


def test_a_one_hot_has_one_frame():
    code = OneHot.of_events(events_at(np.array([100, 70_000]), 2**17))
    assert torch.equal(code.weights.sum(1), torch.ones(2)) and code.weights[1, 137] == 1


@pytest.mark.parametrize("code", CODES.values())
@pytest.mark.parametrize(("frame", "sample"), [(256, 131072), (-1, -512)])
def test_a_time_outside_of_the_clip_is_named(code, frame, sample):
    times = Times(torch.tensor([3, frame]), torch.zeros(2))
    with pytest.raises(ValueError, match=f"at sample {sample}; move it to one from 0 to 131071"):
        code.of(times, Grid(2**17, 512, 22_050))


# ---- in a decoder


@pytest.fixture(scope="module")
def paper_codec() -> SparseCodec:
    """The published design, small."""
    torch.manual_seed(0)
    decoder = ResonanceDecoderConfig(
        resonances=8,
        atoms=16,
        resonance_frames=4,
        attack_samples=1024,
        attack_knots=8,
        noise_filter_samples=16,
        reverberation=(0.3,),
        hidden=16,
    )
    encoder = FrameEncoderConfig(channels=16, dilations=(1, 2))
    return SparseCodec(
        CodecConfig(segment_samples=2**14, horizon_frames=16, encoder=encoder, decoder=decoder)
    ).eval()


def scene_of(codec, code_type, positions=(3.2, 9.4, 20.0)):
    """Return a code of three events, a function that draws its scene, and the decoder's scene."""
    config = codec.config
    frames = torch.tensor([positions]).round()
    times = Times(frames.long(), torch.tensor([positions]) - frames)
    vectors = torch.rand(1, 3, config.vector_size, generator=torch.Generator().manual_seed(5)) - 0.5
    gains = torch.tensor([[1.0, 0.5, 2.0]])
    code = code_type.of(times, Grid(config.segment_samples, config.hop, config.samplerate))
    events = Events(vectors, times.frames, times.offsets, gains)
    plain = codec.decoder.scene(events, config.n_frames)
    return code, lambda code: code.scene(codec.decoder, vectors, gains, config.n_frames), plain


def gradient_of(score: torch.Tensor, free: torch.Tensor) -> torch.Tensor:
    """Return the gradient, and leave none on the codec, which other tests share."""
    return torch.autograd.grad(score, free)[0]


@torch.no_grad()
@pytest.mark.parametrize("code_type", CODES.values())
@pytest.mark.parametrize("which", ["small_codec", "paper_codec"])
def test_every_code_gives_the_decoders_own_scene(code_type, which, request):
    code, draw, plain = scene_of(request.getfixturevalue(which), code_type)
    assert plain.norm() > 1
    assert (draw(code) - plain).norm() < 2e-3 * plain.norm()  # bits round to the sample


@torch.no_grad()
def test_a_soft_one_hot_gives_the_weighted_sum_of_shifted_events(small_codec):
    here, draw, _ = scene_of(small_codec, OneHot, (3.0, 9.0, 20.0))
    there, *_ = scene_of(small_codec, OneHot, (30.0, 9.0, 2.0))
    mixed = dataclasses.replace(here, weights=0.25 * here.weights + 0.75 * there.weights)
    torch.testing.assert_close(
        draw(mixed), 0.25 * draw(here) + 0.75 * draw(there), rtol=1e-4, atol=1e-4
    )


def test_the_gradient_of_a_one_hot_is_strongest_in_the_frame_where_the_event_belongs(small_codec):
    there, draw, target = scene_of(small_codec, OneHot, (3.0, 9.0, 40.0))
    weights = torch.zeros_like(there.weights).requires_grad_(True)
    score = (draw(dataclasses.replace(there, weights=weights)) * target).sum()
    gradient = gradient_of(score, weights)
    assert (gradient[0] != 0).all() and gradient[0, 2].argmax() == 40


@pytest.mark.parametrize("shift", [0.1, 0.7, 1.5])
def test_seconds_follow_their_gradient_within_a_frame_and_across_frames(small_codec, shift):
    code, draw, target = scene_of(small_codec, Seconds, (3.2, 12.2, 25.2))
    frame = code.grid.hop / code.grid.samplerate
    late = (code.seconds + shift * frame).requires_grad_(True)
    distance = (draw(dataclasses.replace(code, seconds=late)) - target).pow(2).sum()
    assert (gradient_of(distance, late) > 0).all()  # a step against the gradient is a step back


def test_the_gradient_of_seconds_is_the_slope_of_the_scene(small_codec):
    code, draw, target = scene_of(small_codec, Seconds, (3.2, 9.3, 20.1))

    def fit(seconds):
        return (draw(dataclasses.replace(code, seconds=seconds)).double() * target).sum()

    seconds = code.seconds.clone().requires_grad_(True)
    gradient = gradient_of(fit(seconds), seconds)
    with torch.no_grad():
        step = torch.tensor([[1e-4, 0.0, 0.0]], dtype=torch.double)
        slope = (fit(code.seconds + step) - fit(code.seconds - step)) / 2e-4
    assert gradient[0, 0].item() == pytest.approx(slope.item(), rel=0.02)


def test_bits_are_pulled_the_same_way_each_by_what_it_is_worth(small_codec):
    code, draw, target = scene_of(small_codec, Bits, (3.0, 12.0, 25.0))
    logits = code.logits.clone().requires_grad_(True)
    score = (draw(dataclasses.replace(code, logits=logits)) * torch.rand_like(target)).sum()
    for gradient in gradient_of(score, logits)[0]:
        torch.testing.assert_close(gradient / gradient[-1], 2.0 ** torch.arange(14.0, -1, -1))
