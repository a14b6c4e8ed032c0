"""The greedy loop with the published parts gives what its plainest form gives."""

import dataclasses

import numpy as np
import pytest
import torch
from scipy.optimize import minimize

from benchmarks.plain_published import PlainPublished
from sparse_codec import EncodeOptions, SparseCodec
from sparse_codec.config import at_effort
from sparse_codec.model.greedy import GreedyLoop, gains_within, joint_gains
from sparse_codec.model.onsets import CLEAR, peaks, rise
from sparse_codec.stereo import _channel_gains

PUBLISHED = EncodeOptions(candidates=1, interim=0, refine=0, joint_gains=False)


@pytest.fixture(scope="module")
def codec(small_paper) -> SparseCodec:
    torch.manual_seed(3)
    return SparseCodec(dataclasses.replace(small_paper, n_events=8, encode=PUBLISHED)).eval()


@pytest.fixture(scope="module")
def original(codec, music) -> torch.Tensor:
    """Magnitudes as low as the switches of an untrained encoder."""
    quiet = music[: codec.config.segment_samples] * 0.003
    return codec.magnitudes(torch.from_numpy(quiet)[None])


@torch.no_grad()
def test_the_published_system_finds_the_events_of_its_plainest_form(codec, original):
    events, residual = PlainPublished(codec).decompose(original)
    state = codec.decompose(original)
    assert len(set(events.frames[0].tolist())) > 4  # at several times
    assert torch.equal(state.events.frames, events.frames)
    torch.testing.assert_close(state.events.vectors, events.vectors, rtol=0.0, atol=1e-6)
    torch.testing.assert_close(state.events.gains, events.gains, rtol=1e-6, atol=0.0)
    torch.testing.assert_close(state.residual, residual, rtol=0.0, atol=1e-6 * original.max())


def test_each_event_is_drawn_once(codec, original, monkeypatch):
    drawn, draw = [], codec.decoder.spectrograms

    def counted(vectors, offsets):
        drawn.append(len(vectors))
        return draw(vectors, offsets)

    monkeypatch.setattr(codec.decoder, "spectrograms", counted)
    codec.decompose(original)
    assert drawn == [1] * 8


@torch.no_grad()
def test_the_published_sound_is_that_of_its_plainest_form(codec):
    vectors = torch.rand(3, 32, generator=torch.Generator().manual_seed(1)) * 1.6 - 0.8
    offsets, plain = torch.tensor([-0.5, 0.0, 0.3]), PlainPublished(codec)
    expected = plain.spectrograms(vectors, offsets)
    torch.testing.assert_close(
        codec.decoder.spectrograms(vectors, offsets), expected, rtol=0.0, atol=1e-6
    )
    # the caller puts sound in its place, so that it has no fine time
    sound, expected = codec.decoder.sound(vectors, offsets), plain.sound(vectors, torch.zeros(3))
    ratio = sound.norm(dim=1) / expected.norm(dim=1)
    expected = expected * ratio[:, None]
    assert ((sound - expected).abs() <= 1e-6 * expected.abs().amax(1, keepdim=True)).all()
    assert torch.equal(sound, codec.decoder.render(vectors, offsets).room)


@pytest.fixture
def passes(small_codec, monkeypatch) -> list[int]:
    """How many candidates the encoder proposed each time that it looked, in this test."""
    proposed, look = [], small_codec.encoder.forward

    def counted(residual, n_candidates, **options):
        proposed.append(n_candidates)
        return look(residual, n_candidates, **options)

    monkeypatch.setattr(small_codec.encoder, "forward", counted)
    return proposed


@pytest.mark.parametrize(
    ("options", "n_passes"),
    [
        ({"events_per_pass": 1}, 8),
        ({"events_per_pass": 2}, 4),
        ({"events_per_pass": 3}, 3),
        ({"events_per_pass": 3, "candidates": 2}, 4),  # no more than there are
        ({"events_per_pass": 3, "interim": 1, "interim_every": 4}, 4),  # again after refinement
    ],
)
def test_the_encoder_looks_once_for_a_few_events(small_codec, music, passes, options, n_passes):
    original = small_codec.magnitudes(
        torch.from_numpy(music[: small_codec.config.segment_samples])[None]
    )
    options = {"candidates": 6, "interim": 0, "refine": 0, "n_events": 8} | options
    state = small_codec.decompose(original, EncodeOptions(**options))
    assert len(passes) == n_passes
    found = torch.cat([state.events.vectors[0], state.events.frames[0, :, None]], 1)
    assert len(found.unique(dim=0)) == 8  # a candidate is taken once


def test_times_within_reach_move_to_where_sounds_begin_before_refinement(small_codec, music):
    original = small_codec.magnitudes(
        torch.from_numpy(music[: small_codec.config.segment_samples])[None]
    )
    options = EncodeOptions(candidates=6, n_events=5, interim=2, interim_every=4, refine=0)
    (times,) = peaks(rise(original, small_codec.config.half_frames), CLEAR)

    def distances(reach: float) -> torch.Tensor:
        state = small_codec.decompose(original, dataclasses.replace(options, reach=reach))
        onsets = (state.events.frames + state.events.offsets)[0, :4]
        return (onsets[:, None] - times).abs().amin(1)

    still, moved, step = distances(0.0), distances(3.0), 0.25  # two steps of refinement
    near = still < 3.0 - step
    assert near.any() and (still[near] > step).any()
    assert (moved[near] < step).all()


@pytest.fixture(scope="module")
def dead_stop(music_codec) -> torch.Tensor:
    """Magnitudes (1, F, T) of a chord that decays slowly, and stops soon after the horizon."""
    config = music_codec.config
    time = np.arange(config.segment_samples) / config.samplerate
    pitches = [f * h for f in (220, 330, 440) for h in range(1, 5)]
    chord = sum(np.sin(2 * np.pi * f * time) / f for f in pitches) * 20 * np.exp(-0.2 * time)
    chord[(config.horizon_frames + 5) * config.hop :] = 0
    return music_codec.magnitudes(torch.from_numpy(chord.astype(np.float32))[None])


def taken_too_much(spectra: torch.Tensor, original: torch.Tensor) -> float:
    """The energy by which spectra are above an original."""
    return (spectra - original).clamp(min=0).pow(2).sum().item()


@pytest.mark.parametrize("effort", ["default", "best"])
def test_events_do_not_ring_where_a_sound_stops_after_the_horizon(music_codec, dead_stop, effort):
    config = music_codec.config
    options = dataclasses.replace(at_effort(config.encode, effort), n_events=8)
    residual = music_codec.decompose(dead_stop, options).residual
    later = slice(config.horizon_frames, None)
    over = taken_too_much((dead_stop - residual)[..., later], dead_stop[..., later])
    assert over < 0.002 * dead_stop.pow(2).sum()


def test_gains_count_what_they_take_after_the_horizon(music_codec, dead_stop):
    """Without refinement too, for one channel and for two."""
    config = music_codec.config
    horizon = config.horizon_frames
    options = dataclasses.replace(at_effort(config.encode, "fast"), n_events=8)
    state = music_codec.decompose(dead_stop, options)
    plain = joint_gains(state.products, state.removed)[0]
    later = dead_stop[0, :, horizon:]

    def over(gains: torch.Tensor) -> float:
        return taken_too_much(torch.einsum("n,nft->ft", gains, state.later[0]), later)

    assert over(state.events.gains[0]) < 0.85 * over(plain)
    stereo = _channel_gains(state, torch.cat([dead_stop, dead_stop]), horizon)
    assert all(over(channel) < 0.85 * over(plain) for channel in stereo)


@pytest.mark.parametrize("seed", range(4))
def test_gains_within_what_is_there_are_the_least_of_their_energy(seed):
    generator = torch.Generator().manual_seed(seed)
    spectra, later = (torch.rand(6, n, generator=generator) for n in (40, 30))
    original = 2 * torch.rand(40, generator=generator)
    most = torch.rand(30, generator=generator)

    def energy(gains: np.ndarray) -> float:
        g = torch.from_numpy(gains).float()
        left, over = original - g @ spectra, (g @ later - most).clamp(min=0)
        return (left.pow(2).sum() + over.pow(2).sum()).item()

    gains = gains_within(
        (spectra @ spectra.T).double(), (spectra @ original).double(), later, most
    ).numpy()
    least = minimize(energy, np.ones(6), method="Powell", bounds=[(0, 10)] * 6).fun
    plain = joint_gains((spectra @ spectra.T).double()[None], (spectra @ original).double()[None])
    assert energy(gains) <= least * 1.0001 < 0.99 * energy(plain[0].numpy())


@torch.no_grad()
def test_an_event_moves_to_where_a_sound_begins_unless_its_own_sound_is_not_there(small_codec):
    """A burst of noise has an event: it begins at a rise beside it, and not after the burst."""
    torch.manual_seed(0)
    config = small_codec.config
    original = torch.zeros(2, config.n_bins, config.n_frames)
    original[:, :, 10:13] = torch.rand(config.n_bins, 3) + 0.5
    options = EncodeOptions(candidates=6, n_events=1, interim=0, refine=0, reach=6.0)
    loop = GreedyLoop(config, small_codec.encoder, small_codec.decoder, options)
    state = loop.decompose(original)
    (before,) = (state.found.frames + state.found.offsets)[:1, 0].tolist()
    beside, after = before + 0.4, 15.5
    assert before < 13
    state.rises = [torch.tensor([beside]), torch.tensor([after])]
    assert abs(after - before) < options.reach
    loop._move(state)
    onsets = (state.found.frames + state.found.offsets)[:, 0]
    torch.testing.assert_close(onsets, torch.tensor([beside, before]))
