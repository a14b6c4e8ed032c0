"""The greedy loop with the published parts gives what its plainest form gives."""

import dataclasses

import pytest
import torch

from benchmarks.plain_published import PlainPublished
from sparse_codec import EncodeOptions, SparseCodec
from sparse_codec.model.onsets import rises

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

    def counted(residual, n_candidates):
        proposed.append(n_candidates)
        return look(residual, n_candidates)

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
    (times,) = rises(original, small_codec.config.half_frames)

    def distances(reach: float) -> torch.Tensor:
        state = small_codec.decompose(original, dataclasses.replace(options, reach=reach))
        onsets = (state.events.frames + state.events.offsets)[0, :4]
        return (onsets[:, None] - times).abs().amin(1)

    still, moved, step = distances(0.0), distances(3.0), 0.25  # two steps of refinement
    near = still < 3.0 - step
    assert near.any() and (still[near] > step).any()
    assert (moved[near] < step).all()
