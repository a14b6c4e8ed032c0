import pytest
import torch

from sparse_codec import TrainingConfig
from sparse_codec.decoder import Target
from sparse_codec.discriminator import Discriminator, discriminator_loss, generator_loss
from sparse_codec.losses import greedy_loss, removal

ALL = slice(None)


def measured(residual, event, gain=None):
    target = Target(residual, torch.ones(len(residual), residual.shape[2]), residual[:, :0])
    product, size = (residual * event).sum((1, 2)), event.pow(2).sum((1, 2))
    return removal(target, product, size, event, ALL, gain)


def test_the_right_event_removes_everything():
    event = torch.rand(2, 5, 6) + 0.1
    removed = measured(3 * event, event)
    assert removed.gain == pytest.approx(3.0)
    assert removed.share == pytest.approx(1.0) and removed.l1 == pytest.approx(1.0, abs=1e-5)
    assert removed.cosine == pytest.approx(1.0) and removed.over == pytest.approx(0.0, abs=1e-6)


def test_the_share_is_what_really_goes_at_any_gain():
    generator = torch.Generator().manual_seed(0)
    residual, event = torch.randn(4, 5, 6, generator=generator), torch.rand(4, 5, 6, generator=generator)
    for gain in (None, torch.full((4,), 0.3)):
        removed = measured(residual, event, gain)
        left = residual - removed.gain[:, None, None] * event
        share = 1 - left.pow(2).sum((1, 2)) / residual.pow(2).sum((1, 2))
        torch.testing.assert_close(removed.share, share, rtol=1e-4, atol=1e-5)
    assert (measured(residual, event).share >= 0).all()


def test_an_event_that_fits_nothing_keeps_a_gradient():
    """The gain is clamped at zero there, so only the cosine can pull it back."""
    residual = -torch.rand(1, 4, 4)
    event = torch.rand(1, 4, 4).requires_grad_(True)
    greedy_loss(measured(residual, event), torch.zeros(1), TrainingConfig()).backward()
    assert event.grad.abs().sum() > 0


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
