"""The fast scene is the exact one at every age and near it at few; its gradients are right."""

import dataclasses

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sparse_codec import SparseCodec
from sparse_codec.config import CodecConfig, HarmonicDecoderConfig, RecurrentDecoderConfig
from sparse_codec.model.events import Events
from sparse_codec.model.fast_scene import ExactScene, FastScene, few_ages, fitting_scene
from sparse_codec.model.scene_loss import SceneLoss, SceneWeights

N_FRAMES = 60
SIZES = HarmonicDecoderConfig(
    harmonics=12, noise_bands=10, knots=(0, 1, 2, 4, 8, 16, 40), event_frames=40
)
VARIANTS = {
    "still": {},
    "gliding": {"glide": 5.0},
    "moving": {"vibrato": 0.5, "scoop": 2.0},
    "one envelope": {"noise_envelope": False},
    "without tilt": {"tilt": 0.0},
    "dry": {"reverberation": ()},
}


def decoder_of(**changes):
    torch.manual_seed(0)
    sizes = dataclasses.replace(SIZES, **changes)
    decoder = SparseCodec(CodecConfig(decoder=sizes)).decoder.double()
    for weights in decoder.read[-1].parameters():  # those of tilt, glide and rate start at 0
        torch.nn.init.normal_(weights, std=0.1)
    return decoder


@pytest.fixture(scope="module", params=VARIANTS, ids=str)
def decoder(request):
    return decoder_of(**VARIANTS[request.param])


def random_events(seed, batch, n_events):
    """Events anywhere in a segment, with times up to a frame and a half away, in float64: there
    gradients agree to many digits, even small ones.
    """
    generator = torch.Generator().manual_seed(seed)

    def uniform(*shape):
        return 2 * torch.rand(*shape, generator=generator, dtype=torch.double) - 1

    return Events(
        vectors=uniform(batch, n_events, 32),
        frames=torch.randint(0, N_FRAMES, (batch, n_events), generator=generator),
        offsets=1.49 * uniform(batch, n_events),
        gains=uniform(batch, n_events) + 1.5,
    )


def with_gradients(events):
    columns = (x.clone().requires_grad_(x.is_floating_point()) for x in events.columns)
    return Events(*columns)


def gradients(scene, events, weights):
    events = with_gradients(events)
    free = [events.vectors, events.offsets, events.gains]
    return torch.autograd.grad((scene(events) * weights).sum(), free)


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 2**31), batch=st.integers(1, 2), n_events=st.integers(1, 3))
def test_at_every_age_it_is_the_exact_scene_and_so_is_its_gradient(decoder, seed, batch, n_events):
    events = random_events(seed, batch, n_events)
    fast = FastScene(decoder, N_FRAMES, tuple(range(SIZES.event_frames + 1)))
    exact = ExactScene(decoder, N_FRAMES)
    with torch.no_grad():
        torch.testing.assert_close(fast(events), exact(events), rtol=1e-6, atol=1e-9)
    generator = torch.Generator().manual_seed(seed)
    weights = torch.rand(batch, 1025, N_FRAMES, generator=generator, dtype=torch.double)
    for ours, theirs in zip(
        gradients(fast, events, weights), gradients(exact, events, weights), strict=True
    ):
        assert (ours - theirs).norm() <= 1e-6 * theirs.norm() + 1e-9


@torch.no_grad()
def test_at_few_ages_it_is_near_the_exact_scene(decoder):
    events = random_events(1, 2, 6)
    fast, exact = FastScene(decoder, N_FRAMES)(events), ExactScene(decoder, N_FRAMES)(events)
    assert len(few_ages(SIZES)) < SIZES.event_frames * 0.75
    assert 0 < (fast - exact).norm() < 0.05 * exact.norm()


@pytest.mark.parametrize("variant", VARIANTS)
def test_its_gradients_at_few_ages_are_those_of_finite_differences(variant):
    """In float64 the derivative along a random direction is a difference to eight digits."""
    decoder = decoder_of(**VARIANTS[variant])
    scene, events = FastScene(decoder, N_FRAMES), random_events(2, 1, 3)
    weights = torch.rand(1, 1025, N_FRAMES, generator=torch.Generator().manual_seed(0)).double()
    for name in ("vectors", "offsets", "gains"):
        column = getattr(events, name)
        towards = torch.randn(column.shape, generator=torch.Generator().manual_seed(3)).double()
        step = 1e-6 * towards
        with torch.no_grad():
            high, low = (
                (scene(dataclasses.replace(events, **{name: column + x})) * weights).sum()
                for x in (step, -step)
            )
        free = column.clone().requires_grad_(True)
        (gradient,) = torch.autograd.grad(
            (scene(dataclasses.replace(events, **{name: free})) * weights).sum(), free
        )
        along = (gradient * towards).sum()
        assert along == pytest.approx(((high - low) / 2e-6).item(), rel=1e-4), name


@torch.no_grad()
def test_candidates_match_a_residual_as_their_spectrograms_do(decoder):
    candidates = random_events(4, 2, 8)
    generator = torch.Generator().manual_seed(5)
    residual = torch.rand(2, 1025, N_FRAMES, generator=generator, dtype=torch.double)
    small = CodecConfig(decoder=decoder.sizes, horizon_frames=N_FRAMES, segment_samples=2**16)
    decoder.config = small
    fast = FastScene(decoder, N_FRAMES).matcher(candidates)(residual)
    exact = ExactScene(decoder, N_FRAMES).matcher(candidates)(residual)
    assert fast.shape == (2, 8)
    assert (fast - exact).abs().max() < 0.03 * exact.abs().max()


def test_only_decoders_that_can_be_computed_at_any_age_have_it(small_codec):
    assert isinstance(fitting_scene(small_codec.decoder, N_FRAMES), FastScene)
    sizes = RecurrentDecoderConfig(harmonics=8, noise_bands=8)
    recurrent = SparseCodec(CodecConfig(decoder=sizes)).decoder
    assert isinstance(fitting_scene(recurrent, N_FRAMES), ExactScene)


@pytest.mark.parametrize("perceptual", [0.0, 0.2])
@pytest.mark.parametrize("horizon", [30, 160])
def test_the_gradient_of_the_loss_is_that_of_finite_differences(perceptual, horizon):
    generator = torch.Generator().manual_seed(6)
    original = torch.randn(2, 1025, 42, generator=generator)  # two frames fill no coarse one
    scene = torch.rand(2, 1025, 42, generator=generator).double().requires_grad_(True)
    weights = SceneWeights(perceptual=perceptual)
    loss = SceneLoss(original.double(), CodecConfig(horizon_frames=horizon), weights)
    towards = torch.randn(2, 1025, 42, generator=generator).double()
    ours = (torch.autograd.grad(loss(scene, torch.ones(2, 1)).sum(), scene)[0] * towards).sum()
    with torch.no_grad():
        high, low = (loss(scene + x * towards, torch.ones(2, 1)).sum() for x in (1e-7, -1e-7))
    assert ours == pytest.approx(((high - low) / 2e-7).item(), rel=1e-3)
