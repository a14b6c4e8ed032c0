"""The encoders: how far they see, and where they may place events."""

import pytest
import torch

from sparse_codec.model.encoder import AntiCausalStack


@torch.no_grad()
def test_a_frame_of_the_published_stack_sees_itself_and_the_future_only():
    torch.manual_seed(0)
    stack = AntiCausalStack(8, (1, 2, 4), normalise=False)
    x = torch.randn(1, 8, 40)
    changed = x.clone()
    changed[:, :, 20] += 1
    moved = (stack(x) - stack(changed)).abs().amax(1)[0] > 1e-7
    assert not moved[21:].any()  # frames after the change do not see it
    assert moved[13:21].all()  # those up to the sum of the dilations before it do
    assert not moved[:13].any()


@torch.no_grad()
@pytest.mark.parametrize("n_frames", [1, 10, 33, 39, 40])
def test_the_first_frames_alone_are_the_first_frames_of_all(n_frames):
    torch.manual_seed(0)
    stack, x = AntiCausalStack(8, (1, 2, 4, 1), normalise=False), torch.randn(2, 8, 40)
    torch.testing.assert_close(stack(x, n_frames), stack(x)[:, :, :n_frames])
    seen = x[:, :, : n_frames + 8]
    torch.testing.assert_close(stack(seen, n_frames), stack(x)[:, :, :n_frames])


@torch.no_grad()
@pytest.mark.parametrize("explore", [None, torch.tensor([0.0, 0.5, 1.0])])
def test_candidates_are_in_the_first_half_and_within_range(small_codec, explore):
    residual = torch.randn(3, small_codec.config.n_bins, small_codec.config.n_frames)
    candidates = small_codec.encoder(residual, 5, explore)
    events = candidates.events
    assert events.vectors.shape == (3, 5, 32)
    assert events.frames.shape == events.offsets.shape == candidates.scores.shape == (3, 5)
    assert (events.frames >= 0).all() and (events.frames < small_codec.config.half_frames).all()
    assert events.vectors.abs().max() <= 1 and events.offsets.abs().max() <= 0.5


@torch.no_grad()
def test_exploring_draws_the_last_candidate_alone_and_likely_places_more_often(small_codec):
    n_pitches, n_frames = small_codec.config.encoder.pitches, small_codec.config.half_frames
    scores = torch.zeros(400, n_pitches, n_frames)
    # as likely as all others together
    scores[:, 7, 5] = torch.tensor(n_pitches * n_frames - 1.0).log()
    pitches, frames = small_codec.encoder.choose(scores, 3, torch.linspace(0, 1, 400))
    plain, at = small_codec.encoder.choose(scores, 3, None)
    assert torch.equal(pitches[:, :-1], plain[:, :-1]) and torch.equal(frames[:, :-1], at[:, :-1])
    there = (pitches[:, -1] == 7) & (frames[:, -1] == 5)
    assert there.float().mean().item() == pytest.approx(0.5, abs=0.01)
    assert len(set(zip(pitches[:, -1].tolist(), frames[:, -1].tolist(), strict=True))) > 100


@torch.no_grad()
def test_the_loudest_harmonic_series_is_proposed_at_its_pitch_and_onset(small_codec):
    """Untrained: the salience alone finds a tone that starts in frame 12."""
    encoder, config = small_codec.encoder, small_codec.config
    pitch = 20
    residual = torch.zeros(1, config.n_bins, config.n_frames)
    residual[0, encoder.bins[pitch], 12:] = 1.0
    events = encoder(residual, 1).events
    assert events.frames.item() == pytest.approx(12, abs=2)
    late = torch.zeros(1, config.half_frames)
    late[:, :15] = 20.0
    later = encoder(residual, 1, handicaps=late).events
    assert later.frames.item() == pytest.approx(15, abs=2)  # the best of those without a handicap
    expected = encoder.pitch_grid[pitch].item()
    assert events.vectors[0, 0, 0].item() == pytest.approx(expected, abs=0.1)
