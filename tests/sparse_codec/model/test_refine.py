"""Fitting all events together comes nearer to real audio, moves only events, and leaves the model
alone.
"""

import pytest
import torch

from sparse_codec import EncodeOptions
from sparse_codec.model.events import Events
from sparse_codec.model.fast_scene import fitting_scene
from sparse_codec.model.refine import BETAS, Adam, FreeEvents, refine, settle
from sparse_codec.model.scene_loss import SceneLoss

NAMES = ("vectors", "frames", "offsets", "gains")


@pytest.fixture(scope="module")
def original(small_codec, music):
    """Magnitudes of two stretches of music, up to the horizon."""
    n_samples, horizon = small_codec.config.segment_samples, small_codec.config.horizon_frames
    segments = torch.from_numpy(music[: 2 * n_samples]).view(2, n_samples)
    return small_codec.magnitudes(segments)[..., :horizon]


@pytest.fixture(scope="module")
def events(small_codec, original):
    """Events of the greedy loop; the second one of the first segment is without gain."""
    padded = torch.nn.functional.pad(original, (0, small_codec.config.n_frames - original.shape[2]))
    options = EncodeOptions(candidates=2, n_events=6, interim=0, refine=0)
    events = small_codec.decompose(padded, options).events
    events.gains[0, 1] = 0
    return events


@pytest.fixture(scope="module")
def scene(small_codec, original):
    return fitting_scene(small_codec.decoder, original.shape[2])


@pytest.fixture(scope="module")
def refined(small_codec, scene, original, events):
    return refine(scene, original, events, 20, small_codec.config.half_frames - 1)


def loss_of(codec, original, events):
    scene = codec.decoder.scene(events, original.shape[2])
    return SceneLoss(original, codec.config)(scene, events.gains)


@torch.no_grad()
def test_refined_events_are_nearer_to_real_music(small_codec, original, events, refined):
    before, after = (loss_of(small_codec, original, e) for e in (events, refined))
    assert (after < 0.98 * before).all()


def test_more_steps_come_nearer(small_codec, scene, original, events, refined):
    few = refine(scene, original, events, 3, small_codec.config.half_frames - 1)
    assert (loss_of(small_codec, original, refined) < loss_of(small_codec, original, few)).all()


def test_refined_events_stay_where_events_may_be(small_codec, events, refined):
    assert (refined.frames >= 0).all() and (refined.frames < small_codec.config.half_frames).all()
    assert refined.offsets.abs().max() <= 0.5 and refined.vectors.abs().max() <= 1
    times, before = (e.frames + e.offsets for e in (refined, events))
    # half a frame given, and a frame and a half of reach
    assert 0 < (times - before).abs().max() <= 2.0


def test_an_event_without_gain_stays_without_and_the_others_keep_theirs(events, refined):
    assert refined.gains[0, 1] == 0
    assert ((refined.gains > 0) == (events.gains > 0)).all()


def test_the_model_is_left_alone(small_codec, scene, original, events):
    before = {name: value.clone() for name, value in small_codec.state_dict().items()}
    given = [getattr(events, name).clone() for name in NAMES]
    refine(scene, original, events, 2, small_codec.config.half_frames - 1)
    assert all(p.grad is None for p in small_codec.parameters())
    assert all(torch.equal(value, before[name]) for name, value in small_codec.state_dict().items())
    assert all(torch.equal(getattr(events, name), g) for name, g in zip(NAMES, given, strict=True))


def test_times_settle_on_the_nearest_frame_inside_the_segment():
    frames, offsets = torch.tensor([[0, 0, 5, 9, 9]]), torch.tensor([[-1.2, 0.7, 1.4, 0.9, -1.5]])
    settled = settle(Events(torch.zeros(1, 5, 2), frames, offsets, torch.ones(1, 5)), last_frame=9)
    assert settled.frames.tolist() == [[0, 1, 6, 9, 7]]
    torch.testing.assert_close(settled.offsets, torch.tensor([[-0.5, -0.3, 0.4, 0.5, 0.5]]))


def test_freed_events_are_the_same_events(small_codec, events):
    free = FreeEvents(events, small_codec.decoder.pace).events()
    assert torch.equal(free.frames, events.frames)
    for name in ("vectors", "offsets", "gains"):
        torch.testing.assert_close(getattr(free, name), getattr(events, name), rtol=1e-4, atol=1e-4)


def test_adam_steps_as_the_optimiser_of_torch():
    generator = torch.Generator().manual_seed(0)
    ours = torch.randn(5, 4, generator=generator)
    theirs = torch.nn.Parameter(ours.clone())
    adam, optimiser = Adam(ours), torch.optim.Adam([theirs], lr=0.2, betas=BETAS)
    for _ in range(6):
        theirs.grad = torch.randn(5, 4, generator=generator)
        adam.step(theirs.grad, 0.2)
        optimiser.step()
    torch.testing.assert_close(ours, theirs.detach(), rtol=1e-5, atol=1e-6)
