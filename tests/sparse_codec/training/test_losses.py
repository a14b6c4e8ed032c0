"""The losses of training: each term rewards what it should, and its weight switches it."""

import dataclasses

import pytest
import torch

from sparse_codec import CodecConfig, TrainingConfig
from sparse_codec.model.decoder import Target
from sparse_codec.model.scene_loss import SceneLoss, SceneWeights
from sparse_codec.training.discriminator import Discriminator, discriminator_loss, generator_loss
from sparse_codec.training.losses import greedy_loss, removal

TERMS = ("l2", "l1", "perceptual", "sparsity")


def measure(residual, event, gain=None, mask=None):
    mask = torch.ones(len(residual), residual.shape[2]) if mask is None else mask
    return removal(Target(residual, mask), event, gain)


def only(**weights) -> SceneWeights:
    return SceneWeights(**dict.fromkeys(TERMS, 0.0) | weights)


@pytest.fixture
def original():
    return torch.rand(2, 1025, 20, generator=torch.Generator().manual_seed(0)).pow(4)


def test_the_right_event_removes_everything():
    event = torch.rand(2, 5, 6) + 0.1
    removed = measure(3 * event, event)
    assert removed.gain == pytest.approx(3.0)
    assert removed.share == pytest.approx(1.0) and removed.l1 == pytest.approx(1.0, abs=1e-5)
    assert removed.cosine == pytest.approx(1.0) and removed.over == pytest.approx(0.0, abs=1e-6)


def test_the_share_is_what_really_goes_at_any_gain():
    generator = torch.Generator().manual_seed(0)
    residual = torch.randn(4, 5, 6, generator=generator)
    event = torch.rand(4, 5, 6, generator=generator)
    for gain in (None, torch.full((4,), 0.3)):
        removed = measure(residual, event, gain)
        left = residual - removed.gain[:, None, None] * event
        share = 1 - left.pow(2).sum((1, 2)) / residual.pow(2).sum((1, 2))
        torch.testing.assert_close(removed.share, share, rtol=1e-4, atol=1e-5)
    assert (measure(residual, event).share >= 0).all()


def test_an_event_that_fits_nothing_keeps_a_gradient():
    """The gain is clamped at zero there, so only the cosine can pull it back."""
    residual = -torch.rand(1, 4, 4)
    event = torch.rand(1, 4, 4).requires_grad_(True)
    greedy_loss(measure(residual, event), torch.zeros(1), TrainingConfig()).backward()
    assert event.grad.abs().sum() > 0


def test_what_lies_outside_the_mask_does_not_count():
    generator = torch.Generator().manual_seed(0)
    residual = torch.rand(2, 5, 6, generator=generator)
    event = torch.rand(2, 5, 6, generator=generator)
    mask = torch.ones(2, 6)
    mask[:, 4:] = 0
    masked = measure(residual * mask[:, None], event, mask=mask)
    short = measure(residual[:, :, :4], event[:, :, :4])
    for name in ("gain", "share", "cosine", "l1", "over"):
        torch.testing.assert_close(getattr(masked, name), getattr(short, name))


@pytest.mark.parametrize("name", ["share", "cosine", "removed_l1", "over", "score"])
def test_each_weight_of_the_greedy_loss_switches_its_term(name):
    generator = torch.Generator().manual_seed(0)
    residual = torch.randn(3, 5, 6, generator=generator)
    removed = measure(residual, torch.rand(3, 5, 6, generator=generator))
    none = TrainingConfig(share=0.0, cosine=0.0, removed_l1=0.0, over=0.0, score=0.0)
    assert greedy_loss(removed, torch.zeros(3), none) == 0
    assert greedy_loss(removed, torch.zeros(3), dataclasses.replace(none, **{name: 1.0})) != 0


@pytest.mark.parametrize("term", ["l2", "l1", "perceptual"])
def test_a_scene_that_is_its_original_costs_nothing_and_silence_all(original, term):
    loss = SceneLoss(original, CodecConfig(), only(**{term: 1.0}))
    costs = [loss(scale * original, torch.ones(2, 3)) for scale in (1.0, 0.9, 0.5, 0.0)]
    assert costs[0] == pytest.approx(0.0, abs=1e-5)
    assert all((a < b).all() for a, b in zip(costs, costs[1:], strict=False))
    if term != "perceptual":
        assert costs[-1] == pytest.approx(1.0, rel=1e-5)


@pytest.mark.parametrize("term", ["l2", "l1", "perceptual"])
def test_where_an_original_is_negative_silence_is_best(original, term):
    original[:, 300:320] *= -1
    loss = SceneLoss(original, CodecConfig(), only(**{term: 1.0}))
    silent, soft = original.clamp(min=0), original.clamp(min=-0.1).abs()
    assert (loss(silent, torch.ones(2, 3)) < loss(soft, torch.ones(2, 3))).all()


@pytest.mark.parametrize("term", ["l2", "l1"])
def test_after_the_horizon_only_what_a_scene_takes_too_much_counts(original, term):
    config = CodecConfig(horizon_frames=12)
    one, first = only(**{term: 1.0}), original[..., :12]
    loss, gains = SceneLoss(original, config, one), torch.ones(2, 3)
    short = SceneLoss(first, config, one)(0.9 * first, gains)  # the first frames alone

    def later(factor: float) -> torch.Tensor:
        scene = torch.cat([0.9 * first, factor * original[..., 12:]], 2)
        return loss(scene, gains)

    for factor in (0.0, 0.7, 1.0):
        torch.testing.assert_close(later(factor), short)
    over, size = 0.5 * original[..., 12:], {"l2": 2, "l1": 1}[term]
    share = over.pow(size).sum((1, 2)) / first.pow(size).sum((1, 2))
    torch.testing.assert_close(later(1.5), short + share)


def test_the_loss_of_a_scene_is_the_weighted_sum_of_its_terms(original):
    scene, gains = 0.7 * original, torch.rand(2, 3, generator=torch.Generator().manual_seed(1))
    assert not SceneLoss(original, CodecConfig(), only())(scene, gains).any()
    weights = dict(zip(TERMS, (2.0, 1.0, 0.2, 0.3), strict=True))
    summed = torch.zeros(2)
    for term, weight in weights.items():
        alone = SceneLoss(original, CodecConfig(), only(**{term: 1.0}))(scene, gains)
        assert (alone > 0).all()
        summed += weight * alone
    together = SceneLoss(original, CodecConfig(), SceneWeights(**weights))(scene, gains)
    torch.testing.assert_close(together, summed)


def test_sparsity_grows_with_the_gains_and_not_with_loudness(original):
    gains, config = torch.rand(2, 3, generator=torch.Generator().manual_seed(1)), CodecConfig()
    loss = SceneLoss(original, config, only(sparsity=1.0))
    cost = loss(original, gains)
    torch.testing.assert_close(loss(original, 2 * gains), 2 * cost)
    louder = SceneLoss(2 * original, config, only(sparsity=1.0))
    torch.testing.assert_close(louder(original, 2 * gains), cost)


def test_the_discriminator_learns_to_tell_and_the_generator_to_be_told():
    torch.manual_seed(0)
    critic = Discriminator(n_bins=16, channels=8, layers=2)
    optimiser = torch.optim.Adam(critic.parameters(), 1e-2)
    real, fake = torch.rand(4, 16, 32) + 1, torch.rand(4, 16, 32)
    for _ in range(60):
        loss = discriminator_loss(critic(real), critic(fake))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert loss < 0.05
    assert generator_loss(critic(real)) < generator_loss(critic(fake))
