"""Training learns, resumes, and trains the published configuration too; all on real music, for a few steps."""

import dataclasses
import json

import numpy as np
import pytest
import torch

from experiments.clips import SHIPPED
from sparse_codec import CodecConfig, SparseCodec, TrainingConfig
from sparse_codec.config import FrameEncoderConfig, ResonanceDecoderConfig
from sparse_codec.data import Recording
from sparse_codec.train import Trainer

QUICK = TrainingConfig(steps=4, batch=3, pool=6)


@pytest.fixture(scope="module")
def recordings() -> list[Recording]:
    files = sorted(SHIPPED.glob("*.flac"))
    return [Recording(f, f.stem, "test" if i == 0 else "train", "clips") for i, f in enumerate(files)]


@pytest.fixture(scope="module")
def small_paper() -> CodecConfig:
    """The published design with small sizes."""
    return CodecConfig(
        segment_samples=2**14,
        hop=256,
        n_events=3,
        horizon_frames=64,
        gain="switch",
        input="linear",
        encoder=FrameEncoderConfig(channels=16, dilations=(1, 2)),
        decoder=ResonanceDecoderConfig(
            resonances=8, atoms=16, resonance_frames=4, attack_samples=1024, attack_knots=8, noise_filter_samples=16,
            reverberation=(0.3, 1.0), hidden=16,
        ),
    )  # fmt: skip


def trainer(config, training, recordings) -> Trainer:
    return Trainer(config, training, recordings, "cpu", log=lambda line: None)


@pytest.mark.slow
def test_a_minute_of_steps_learns(small_config, recordings, tmp_path):
    training = dataclasses.replace(QUICK, steps=150, batch=6, pool=12)
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


def test_an_interrupted_run_goes_on(small_config, recordings, tmp_path):
    trainer(small_config, QUICK, recordings).run(tmp_path)
    longer = trainer(small_config, dataclasses.replace(QUICK, steps=7), recordings)
    longer.resume(tmp_path)
    saved = SparseCodec.load(tmp_path / "model.safetensors").state_dict()
    assert longer.step == 4 and all(torch.equal(v, saved[k]) for k, v in longer.codec.state_dict().items())
    assert longer.optimiser.state_dict()["state"], "the optimiser's moments are part of the state"
    longer.run(tmp_path)
    assert SparseCodec.load(tmp_path / "model.safetensors").card["steps"] == 7


def test_the_same_seed_gives_the_same_weights(small_config, recordings):
    runs = [trainer(small_config, QUICK, recordings) for _ in range(2)]
    weights = []
    for run in runs:
        torch.manual_seed(5)
        run.pool = run._fill_pool()
        run.train_step()
        weights.append(run.codec.state_dict())
    assert all(torch.equal(value, weights[1][name]) for name, value in weights[0].items())


@pytest.mark.parametrize("adversarial", [0.0, 1.0])
def test_the_adversarial_loss_trains_the_discriminator_only_when_switched_on(small_config, recordings, adversarial):
    run = trainer(small_config, dataclasses.replace(QUICK, adversarial=adversarial, adversarial_every=1), recordings)
    before = [p.clone() for p in run.discriminator.parameters()]
    run.pool = run._fill_pool()
    *_, realism = run.train_step()
    moved = any(not torch.equal(a, b) for a, b in zip(before, run.discriminator.parameters(), strict=True))
    assert moved == (adversarial > 0) == (realism > 0)


def test_the_published_design_trains_encodes_and_decodes(small_paper, recordings, tmp_path):
    training = dataclasses.replace(QUICK, candidates=1, adversarial=1.0, adversarial_every=1, share=0.0, cosine=0.0)
    run = trainer(small_paper, training, recordings)
    before = {k: v.clone() for k, v in run.codec.state_dict().items()}
    run.run(tmp_path)
    after = run.codec.state_dict()
    assert any(not torch.equal(before[k], after[k]) for k in before if k.startswith("encoder"))
    assert any(not torch.equal(before[k], after[k]) for k in before if k.startswith("decoder"))
    codec = SparseCodec.load(tmp_path / "model.safetensors")
    options = dataclasses.replace(codec.config.encode, candidates=1, refine=0, joint_gains=False)
    audio = np.random.default_rng(0).normal(size=2**14).astype(np.float32) * 0.1
    events = codec.stream(audio, options)
    assert codec.decode(events).shape == audio.shape and np.isfinite(codec.decode(events)).all()
    assert all(set(s) == {"excitation", "resonance", "room"} for s in codec.render_stages(events))


def test_no_training_data_is_an_error(small_config, recordings, tmp_path):
    with pytest.raises(ValueError, match="no recordings to train on"):
        trainer(small_config, QUICK, recordings[:1]).run(tmp_path)
