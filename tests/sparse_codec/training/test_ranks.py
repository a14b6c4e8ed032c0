"""Several processes do together what one does alone. Started by torchrun, this file is one of the processes."""

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from experiments.clips import SHIPPED
from sparse_codec import SparseCodec, TrainingConfig
from sparse_codec.audio.recordings import Recording, find_recordings
from sparse_codec.config import config_tables, parse_config
from sparse_codec.training.trainer import Trainer, processes

ROOT = Path(__file__).parents[3]
STEPS = 3
TRAINING = TrainingConfig(steps=STEPS, batch=4, pool=8, scenes=2)


def take_steps(tables: dict, recordings: list[Recording]) -> dict:
    """What a process has after STEPS steps: its weights, and the losses of each step."""
    with processes("cpu"):
        run = Trainer(*parse_config(tables, "test"), recordings, "cpu", log=lambda line: None)
        run.prepare()
        losses = [run.train_step() for _ in range(STEPS)]
        parts = {"codec": run.codec.state_dict(), "discriminator": run.discriminator.state_dict()}
        return parts | {"losses": losses, "slots": run.pool.slots, "residual": run.pool.residual}


def torchrun(*arguments: str) -> None:
    """Two processes of a script or module."""
    command = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc-per-node",
        "2",
        *arguments,
    ]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes", [{}, {"adversarial": 1.0, "adversarial_every": 2, "scenes": 0}], ids=str
)
def test_two_processes_do_what_one_does_with_the_whole_batch(small_config, tmp_path, changes):
    tables = config_tables(small_config, dataclasses.replace(TRAINING, **changes))
    (tmp_path / "tables.json").write_text(json.dumps(tables))
    torchrun(__file__, str(tmp_path))
    alone = take_steps(tables, find_recordings(SHIPPED / "music"))
    ranks = [torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in range(2)]
    for part in ("codec", "discriminator"):
        for name, value in alone[part].items():
            assert torch.equal(ranks[0][part][name], ranks[1][part][name]), name
            torch.testing.assert_close(ranks[0][part][name], value, rtol=1e-4, atol=1e-5, msg=name)
    np.testing.assert_allclose(
        np.mean([r["losses"] for r in ranks], axis=0), alone["losses"], rtol=1e-4, atol=1e-5
    )
    together = {slot: x for r in ranks for slot, x in zip(r["slots"], r["residual"], strict=True)}
    residual = torch.stack([together[slot] for slot in alone["slots"]])
    torch.testing.assert_close(residual, alone["residual"], rtol=1e-3, atol=1e-3)


@pytest.mark.slow
def test_the_command_trains_in_two_processes_and_goes_on(small_config, tmp_path):
    out, config = tmp_path / "run", tmp_path / "small.toml"
    for steps in (2, 4):
        tables = config_tables(small_config, dataclasses.replace(TRAINING, steps=steps))
        config.write_text("\n".join(toml_lines(tables)))
        data = str(SHIPPED / "music")
        torchrun(
            "-m",
            "sparse_codec",
            "train",
            "--config",
            str(config),
            "--data",
            data,
            "--out",
            str(out),
        )
        states = [torch.load(out / f"state-{rank}-of-2.pt", weights_only=True) for rank in range(2)]
        assert [json.loads(state["progress"])[0] for state in states] == [steps, steps]
    assert all(
        torch.equal(states[0]["codec"][name], value) for name, value in states[1]["codec"].items()
    )
    assert SparseCodec.load(out / "model.safetensors").card["steps"] in (
        2,
        4,
    )  # whichever was better


def toml_lines(tables: dict) -> list[str]:
    lines = []
    for table, values in tables.items():
        lines.append(f"[{table}]")
        lines += [f"{key} = {json.dumps(value)}" for key, value in values.items()]
    return lines


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    found = take_steps(
        json.loads((folder / "tables.json").read_text()), find_recordings(SHIPPED / "music")
    )
    torch.save(found, folder / f"{os.environ['RANK']}.pt")
