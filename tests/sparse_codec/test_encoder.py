"""What the encoders see, and where they may place events."""

import pytest
import torch

from sparse_codec.encoder import AntiCausalStack


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
@pytest.mark.parametrize("explore", [False, True])
def test_candidates_are_in_the_first_half_and_within_range(small_codec, explore):
    residual = torch.randn(3, small_codec.config.n_bins, small_codec.config.n_frames)
    found = small_codec.encoder(residual, 5, explore)
    assert found.vectors.shape == (3, 5, 32) and found.frames.shape == found.offsets.shape == found.scores.shape == (
        3,
        5,
    )
    assert (found.frames >= 0).all() and (found.frames < small_codec.config.half_frames).all()
    assert found.vectors.abs().max() <= 1 and found.offsets.abs().max() <= 0.5


@torch.no_grad()
def test_the_loudest_harmonic_series_is_proposed_at_its_pitch_and_onset(small_codec):
    """Untrained: the salience alone finds a tone that starts in frame 12."""
    encoder, config = small_codec.encoder, small_codec.config
    pitch = 20
    residual = torch.zeros(1, config.n_bins, config.n_frames)
    residual[0, encoder.bins[pitch], 12:] = 1.0
    found = encoder(residual, 1)
    assert found.frames.item() == pytest.approx(12, abs=2)
    assert found.vectors[0, 0, 0].item() == pytest.approx(encoder.pitch_grid[pitch].item(), abs=0.1)
