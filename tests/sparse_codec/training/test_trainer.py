"""Training learns, resumes, and trains the published configuration too: on real music, for a few
steps.
"""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from sparse_codec import CheckpointError, ConfigError, SparseCodec, TrainingConfig
from sparse_codec.checkpoint import FORMAT
from sparse_codec.config import config_tables
from sparse_codec.training.pool import Pool, RankSlice, Segments
from sparse_codec.training.trainer import Trainer

QUICK = TrainingConfig(steps=4, batch=3, pool=6)


def trainer(config, training, recordings) -> Trainer:
    return Trainer(config, training, recordings, "cpu", log=lambda line: None)


def after_steps(run: Trainer, steps: int) -> list[float]:
    """The losses of the next steps."""
    run.prepare()
    return [run.train_step()[0] for _ in range(steps)]


def same_weights(one: Trainer, other: Trainer) -> bool:
    pairs = zip(one.codec.state_dict().items(), other.codec.state_dict().items(), strict=True)
    return all(name == other_name and torch.equal(a, b) for (name, a), (other_name, b) in pairs)


@pytest.mark.slow
def test_a_run_learns(small_config, recordings, tmp_path):
    """At a high learning rate a few steps are enough."""
    rates = dict(learning_rate=1e-2, warmup_steps=5)
    training = dataclasses.replace(QUICK, steps=40, **rates)
    run = trainer(small_config, training, recordings)
    run.validate()
    run.run(tmp_path)
    assert run.history[-1]["l2"] > run.history[0]["l2"] + 0.05


def test_a_run_leaves_a_checkpoint_with_its_facts(small_config, recordings, tmp_path):
    lines = []
    run = Trainer(small_config, QUICK, recordings, "cpu", log=lines.append)
    run.run(tmp_path)
    codec = SparseCodec.load(tmp_path / "model.safetensors")
    assert codec.card["steps"] == 4 and codec.card["train_recordings"] == len(recordings) - 1
    assert codec.card["history"][-1]["step"] == 4 and "held-out" in lines[-1]
    assert json.dumps(codec.card)


def test_a_finished_run_may_be_made_longer(small_config, recordings, tmp_path):
    trainer(small_config, QUICK, recordings).run(tmp_path)
    longer = trainer(small_config, dataclasses.replace(QUICK, steps=6), recordings)
    longer.resume(tmp_path)
    saved = SparseCodec.load(tmp_path / "model.safetensors").state_dict()
    weights = longer.codec.state_dict()
    assert longer.step == 4 and all(torch.equal(v, saved[k]) for k, v in weights.items())
    longer.run(tmp_path)
    assert longer.step == 6 and [h["step"] for h in longer.history] == [4, 6]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"candidates": 1},
        {"scenes": 2, "scene_visits": 4},
        {"adversarial": 1.0, "adversarial_every": 2},
    ],
    ids=str,
)
def test_an_interrupted_run_goes_on_exactly(small_config, recordings, tmp_path, changes):
    """Six steps in one go, or three, a new process, and three more: the same losses and bits."""
    training = dataclasses.replace(QUICK, steps=6, **changes)
    straight = trainer(small_config, training, recordings)
    losses = after_steps(straight, 6)
    first = trainer(small_config, training, recordings)
    assert after_steps(first, 3) == losses[:3]
    first.save(tmp_path)
    again = trainer(small_config, training, recordings)
    torch.manual_seed(99)  # nothing may hang on the global generator
    again.resume(tmp_path)
    assert after_steps(again, 3) == losses[3:]
    assert same_weights(straight, again)
    assert torch.equal(straight.pool.residual, again.pool.residual)
    if training.scenes:
        assert torch.equal(straight.scenes.events.free, again.scenes.events.free)
        assert straight.scenes.counts.any(), "a scene was renewed on the way"


@pytest.fixture(scope="module")
def saved_run(small_config, recordings, tmp_path_factory) -> Path:
    """A folder with the state of a run that has taken no step."""
    folder = tmp_path_factory.mktemp("run")
    run = trainer(small_config, QUICK, recordings)
    run.prepare()
    run.save(folder)
    return folder


@pytest.mark.parametrize(
    ("config_changes", "training_changes", "n_recordings", "message"),
    [
        ({}, {"batch": 2}, None, "another configuration"),
        ({"n_events": 5}, {}, None, "another configuration"),
        ({}, {}, -1, "another configuration or data"),
    ],
)
def test_a_run_does_not_go_on_as_one_of_another_kind(
    small_config, recordings, saved_run, config_changes, training_changes, n_recordings, message
):
    config = dataclasses.replace(small_config, **config_changes)
    training = dataclasses.replace(QUICK, **training_changes)
    with pytest.raises(ConfigError, match=message):
        trainer(config, training, recordings[:n_recordings]).resume(saved_run)


def test_a_damaged_state_is_named(small_config, recordings, saved_run, tmp_path):
    state = tmp_path / "state.pt"
    state.write_bytes((saved_run / "state.pt").read_bytes()[:-1000])
    with pytest.raises(ConfigError, match="state.pt: damaged"):
        trainer(small_config, QUICK, recordings).resume(tmp_path)


def test_the_best_checkpoint_is_kept_and_the_newest_state(
    small_config, recordings, tmp_path, monkeypatch
):
    figures = iter((0.5, 0.3, 0.6))

    def validate(run):
        figure = next(figures)
        run.history.append({"step": run.step, "seconds": 0, "l2": figure, "l1": figure})
        return figure, figure

    monkeypatch.setattr(Trainer, "validate", validate)
    run, kept = trainer(small_config, QUICK, recordings), []
    for _ in range(3):
        after_steps(run, 1)
        run._checkpoint(tmp_path)
        kept.append(SparseCodec.load(tmp_path / "model.safetensors"))
        assert torch.load(tmp_path / "state.pt")["codec"].keys() == run.codec.state_dict().keys()
        assert json.loads(torch.load(tmp_path / "state.pt")["progress"])[0] == run.step
    assert [codec.card["steps"] for codec in kept] == [1, 1, 3]
    assert kept[0].digest == kept[1].digest != kept[2].digest


def test_a_run_may_start_from_the_weights_of_another(small_config, recordings, tmp_path):
    other = trainer(small_config, dataclasses.replace(QUICK, seed=1), recordings)
    other.codec.save(tmp_path / "other.safetensors")
    run = trainer(small_config, QUICK, recordings)
    assert not same_weights(run, other)
    run.start_from(tmp_path / "other.safetensors")
    assert same_weights(run, other)
    assert np.isfinite(after_steps(run, 1)).all()


def test_outputs_that_the_first_weights_lack_stay_fresh(small_config, recordings, tmp_path):
    run, name = trainer(small_config, QUICK, recordings), "decoder.read.4.weight"
    fresh = {k: v.clone() for k, v in run.codec.state_dict().items()}
    given = {k: v + 1 for k, v in fresh.items()}
    given[name] = given[name][:-3]
    facts = {"format": FORMAT, "config": json.dumps(config_tables(small_config)), "card": "{}"}
    save_file(given, tmp_path / "older.safetensors", facts)
    run.start_from(tmp_path / "older.safetensors")
    weights = run.codec.state_dict()
    assert torch.equal(weights[name][:-3], given[name])
    assert torch.equal(weights[name][-3:], fresh[name][-3:])
    assert all(torch.equal(weights[k], given[k]) for k in fresh if k != name)


@pytest.mark.parametrize(
    ("part", "sizes", "message"),
    [
        ("encoder", {"channels": 9}, "encoder.* does not fit"),
        ("decoder", {"hidden": 9}, "decoder.* does not fit"),
        # fewer outputs, but not at the end
        ("decoder", {"reverberation": ()}, "its decoder has other parts"),
    ],
)
def test_weights_that_do_not_fit_are_named(
    small_config, recordings, tmp_path, part, sizes, message
):
    changed = dataclasses.replace(getattr(small_config, part), **sizes)
    other = SparseCodec(dataclasses.replace(small_config, **{part: changed}))
    other.save(tmp_path / "other.safetensors")
    with pytest.raises(ConfigError, match=f"other.safetensors: {message}"):
        trainer(small_config, QUICK, recordings).start_from(tmp_path / "other.safetensors")


def test_damaged_first_weights_are_named(small_config, recordings, tmp_path):
    (tmp_path / "damaged.safetensors").write_bytes(b"none")
    with pytest.raises(CheckpointError, match="damaged.safetensors"):
        trainer(small_config, QUICK, recordings).start_from(tmp_path / "damaged.safetensors")


@pytest.mark.parametrize(
    ("given", "changes"),
    [
        ({}, {"adversarial": 1.0, "adversarial_every": 1}),
        ({}, {"scenes": 2}),
        ({}, {"bf16": True}),
        ({"scenes": 2}, {"sparsity": 1.0}),
        ({"scenes": 2}, {"perceptual": 1.0}),
        ({"scenes": 2}, {"scene_l1": 0.0}),
        ({"scenes": 2}, {"scene_l2": 0.0}),
    ],
    ids=str,
)
def test_each_switch_changes_the_loss_and_still_trains(small_config, recordings, given, changes):
    plain, switched = (
        trainer(small_config, dataclasses.replace(QUICK, **given, **more), recordings)
        for more in ({}, changes)
    )
    before = {name: value.clone() for name, value in switched.codec.state_dict().items()}
    assert after_steps(plain, 1) != after_steps(switched, 1)
    assert np.isfinite(after_steps(switched, 1)).all()
    after = switched.codec.state_dict()
    for part in ("encoder", "decoder"):
        assert any(not torch.equal(before[k], after[k]) for k in before if k.startswith(part)), part
    assert all(torch.isfinite(value).all() for value in after.values())


def test_the_decoder_learns_from_scenes_and_their_events_move(small_config, recordings):
    greedy_off = dict(share=0.0, cosine=0.0, removed_l1=0.0, over=0.0, score=0.0)
    run = trainer(small_config, dataclasses.replace(QUICK, scenes=2, **greedy_off), recordings)
    run.prepare()
    before = run.scenes.events.free.clone()
    _, _, scene, _ = run.train_step()
    assert scene > 0
    assert any(p.grad is not None and p.grad.any() for p in run.codec.decoder.parameters())
    assert not any(p.grad is not None and p.grad.any() for p in run.codec.encoder.parameters())
    assert not torch.equal(run.scenes.events.free, before)


def test_fitting_scenes_brings_them_nearer(small_config, recordings):
    """With the model standing still, what is left is the events' own steps."""
    run = trainer(small_config, dataclasses.replace(QUICK, scenes=2, learning_rate=0.0), recordings)
    run.prepare()
    scenes = [run.train_step()[2] for _ in range(12)]
    assert scenes[-1] < 0.99 * scenes[0]


def test_segments_of_a_place_are_always_the_same(small_config, recordings):
    one, other = (Segments(recordings[1:], small_config, seed=0) for _ in range(2))
    in_order = [one(0, 0), one(0, 1), one(1, 0)]
    backwards = [other(1, 0), other(0, 1), other(0, 0)]
    assert all(torch.equal(a, b) for a, b in zip(in_order[::-1], backwards, strict=True))
    assert not torch.equal(in_order[0], in_order[1]) and not torch.equal(in_order[0], in_order[2])
    assert not torch.equal(in_order[0], Segments(recordings[1:], small_config, seed=1)(0, 0))


def test_ranks_share_the_places_that_one_process_would_have(small_config, small_codec, recordings):
    segments = Segments(recordings[1:], small_config, seed=0)
    training = dataclasses.replace(QUICK, batch=4, pool=8)
    slices = (RankSlice(), RankSlice(0, 2), RankSlice(1, 2))
    whole, *parts = (Pool(small_codec, segments, training, each) for each in slices)
    together = {}
    for part in parts:
        together |= zip(part.slots, part.original, strict=True)
    assert sorted(together) == whole.slots
    for slot, original in zip(whole.slots, whole.original, strict=True):
        assert torch.equal(together[slot], original)
    for step in range(3):
        drawn = [[part.slots[row] for row in part.draw(step).rows] for part in (whole, *parts)]
        assert sorted(drawn[0]) == sorted(drawn[1] + drawn[2])


def test_a_segment_that_gave_all_its_events_is_renewed(small_config, small_codec, recordings):
    segments = Segments(recordings[1:], small_config, seed=0)
    pool = Pool(small_codec, segments, dataclasses.replace(QUICK, batch=1, pool=1), RankSlice())
    events, n_events = torch.ones_like(pool.residual), small_config.n_events
    pool.depth[:] = 0
    first = pool.original.clone()
    for step in range(n_events - 1):
        pool.subtract(pool.draw(step), events)
    assert torch.allclose(pool.residual, first - (n_events - 1)) and pool.counts.item() == 0
    pool.subtract(pool.draw(0), events)
    assert pool.counts.item() == 1 and pool.depth.item() == 0 and not pool.heard.any()
    assert torch.equal(pool.residual, pool.original) and not torch.equal(pool.original, first)


def test_the_discriminator_hears_the_events_that_were_kept(small_config, small_codec, recordings):
    pool = Pool(small_codec, Segments(recordings[1:], small_config, seed=0), QUICK, RankSlice())
    pool.depth[:] = 0
    draw = dataclasses.replace(pool.draw(0), kept=torch.tensor([True, False, True]))
    pool.subtract(draw, torch.ones(3, *pool.heard.shape[1:]))
    assert pool.heard[draw.rows].amax((1, 2)).tolist() == [1.0, 0.0, 1.0]
    assert pool.heard.sum().item() == 2 * pool.heard[0].numel()
    kept = torch.cat([pool.draw(step).kept for step in range(100)])
    assert kept.float().mean().item() == pytest.approx(0.5, abs=0.1)


def test_the_same_seed_gives_the_same_weights(small_config, recordings):
    trainings = (QUICK, QUICK, dataclasses.replace(QUICK, seed=7))
    one, other, third = (trainer(small_config, each, recordings) for each in trainings)
    for run in (one, other, third):
        after_steps(run, 1)
    assert same_weights(one, other) and not same_weights(one, third)


@pytest.mark.parametrize("adversarial", [0.0, 1.0])
def test_the_adversarial_loss_trains_the_discriminator_only_when_switched_on(
    small_config, recordings, adversarial
):
    training = dataclasses.replace(QUICK, adversarial=adversarial, adversarial_every=1)
    run = trainer(small_config, training, recordings)
    before = [p.clone() for p in run.discriminator.parameters()]
    run.prepare()
    *_, realism = run.train_step()
    after = run.discriminator.parameters()
    moved = any(not torch.equal(a, b) for a, b in zip(before, after, strict=True))
    assert moved == (adversarial > 0) == (realism > 0)


def test_the_published_design_trains_encodes_and_decodes(small_paper, recordings, tmp_path):
    training = dataclasses.replace(
        QUICK, candidates=1, adversarial=1.0, adversarial_every=1, share=0.0, cosine=0.0
    )
    run = trainer(small_paper, training, recordings)
    before = {k: v.clone() for k, v in run.codec.state_dict().items()}
    run.run(tmp_path)
    after = run.codec.state_dict()
    assert any(not torch.equal(before[k], after[k]) for k in before if k.startswith("encoder"))
    assert any(not torch.equal(before[k], after[k]) for k in before if k.startswith("decoder"))
    codec = SparseCodec.load(tmp_path / "model.safetensors")
    options = dataclasses.replace(codec.config.encode, candidates=1, refine=0, joint_gains=False)
    audio = np.random.default_rng(0).normal(size=2**14).astype(np.float32) * 0.1
    events = codec.encode(audio, options=options)
    assert codec.decode(events).shape == audio.shape and np.isfinite(codec.decode(events)).all()
    assert all(set(s) == {"excitation", "resonance", "room"} for s in codec.render_stages(events))


def test_no_training_data_is_an_error(small_config, recordings, tmp_path):
    with pytest.raises(ValueError, match="no recordings to train on"):
        trainer(small_config, QUICK, recordings[:1]).run(tmp_path)
