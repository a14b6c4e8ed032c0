"""Several processes do together what one does alone.

Started as a script, this file forks two such processes: `test_ranks.py FOLDER` for the training
steps of the tables in FOLDER, `test_ranks.py train ...` for that command of sparse_codec.
"""

import dataclasses
import json
import multiprocessing
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.distributed as dist

from experiments.clips import SHIPPED
from sparse_codec import SparseCodec, TrainingConfig
from sparse_codec.__main__ import main
from sparse_codec.audio.recordings import find_recordings
from sparse_codec.config import config_tables, parse_config
from sparse_codec.training.trainer import Trainer, processes

ROOT = Path(__file__).parents[3]
STEPS = 3
TRAINING = TrainingConfig(steps=STEPS, batch=4, pool=8, scenes=2)
CHANGES = {"scenes": {}, "adversarial": {"adversarial": 1.0, "adversarial_every": 2, "scenes": 0}}


def take_steps(tables: dict) -> dict:
    """The results of STEPS steps in this process: weights, losses of each step, residuals."""
    recordings = find_recordings(SHIPPED / "music")
    run = Trainer(*parse_config(tables, "test"), recordings, "cpu", log=lambda line: None)
    run.prepare()
    losses = [run.train_step() for _ in range(STEPS)]
    weights = {"codec": run.codec.state_dict(), "discriminator": run.discriminator.state_dict()}
    return weights | {"losses": losses, "slots": run.pool.slots, "residual": run.pool.residual}


def run_python(*arguments: str) -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-3000:]


def torchrun(*arguments: str) -> None:
    """Two processes of a module."""
    options = ("--standalone", "--nproc-per-node", "2")
    run_python("-m", "torch.distributed.run", *options, *arguments)


@pytest.fixture(scope="module")
def tables(small_config) -> dict[str, dict]:
    """A configuration for each of the changes."""
    return {
        name: config_tables(small_config, dataclasses.replace(TRAINING, **changes))
        for name, changes in CHANGES.items()
    }


@pytest.fixture(scope="module")
def ranks(tables, tmp_path_factory) -> list[dict]:
    """The results of two processes, for each of the changes."""
    folder = tmp_path_factory.mktemp("ranks")
    (folder / "tables.json").write_text(json.dumps(tables))
    run_python(__file__, str(folder))
    return [torch.load(folder / f"{rank}.pt", weights_only=True) for rank in range(2)]


@pytest.mark.slow
@pytest.mark.parametrize("name", CHANGES)
def test_two_processes_do_what_one_does_with_the_whole_batch(tables, ranks, name):
    alone, ranks = take_steps(tables[name]), [rank[name] for rank in ranks]
    for part in ("codec", "discriminator"):
        for key, value in alone[part].items():
            assert torch.equal(ranks[0][part][key], ranks[1][part][key]), key
            torch.testing.assert_close(ranks[0][part][key], value, rtol=1e-4, atol=1e-5, msg=key)
    mean_losses = np.mean([r["losses"] for r in ranks], axis=0)
    np.testing.assert_allclose(mean_losses, alone["losses"], rtol=1e-4, atol=1e-5)
    together = {slot: x for r in ranks for slot, x in zip(r["slots"], r["residual"], strict=True)}
    residual = torch.stack([together[slot] for slot in alone["slots"]])
    torch.testing.assert_close(residual, alone["residual"], rtol=1e-3, atol=1e-3)


@pytest.mark.slow
def test_the_command_trains_in_two_processes_and_goes_on(small_config, tmp_path):
    """The first steps under torchrun itself; then in two forked processes, which is faster."""
    out, config = tmp_path / "run", tmp_path / "small.toml"
    command = [
        "train",
        "--config",
        str(config),
        "--data",
        str(SHIPPED / "music"),
        "--out",
        str(out),
    ]
    for steps in (2, 4):
        tables = config_tables(small_config, dataclasses.replace(TRAINING, steps=steps))
        config.write_text("\n".join(toml_lines(tables)))
        if steps == 2:
            torchrun("-m", "sparse_codec", *command)
        else:
            run_python(__file__, *command)
        states = [torch.load(out / f"state-{rank}-of-2.pt", weights_only=True) for rank in range(2)]
        assert [json.loads(state["progress"])[0] for state in states] == [steps, steps]
    for name, value in states[1]["codec"].items():
        assert torch.equal(states[0]["codec"][name], value)
    # whichever was better
    assert SparseCodec.load(out / "model.safetensors").card["steps"] in (2, 4)


def toml_lines(tables: dict) -> list[str]:
    lines = []
    for table, values in tables.items():
        lines.append(f"[{table}]")
        lines += [f"{key} = {json.dumps(value)}" for key, value in values.items()]
    return lines


# ---- as a script


def fork_ranks(work: Callable[[], None]) -> int:
    """Run `work` in two forked processes that know their ranks as under torchrun."""
    import torch._dynamo  # noqa: F401, an optimiser's first step would, in each process

    store = dist.TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    os.environ |= {
        "WORLD_SIZE": "2",
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(store.port),
        "TORCHELASTIC_USE_AGENT_STORE": "True",  # all ranks are clients of the store above
    }

    def as_rank(rank: int) -> None:
        os.environ |= {"RANK": str(rank), "LOCAL_RANK": str(rank)}
        work()

    fork = multiprocessing.get_context("fork")
    ranks = [fork.Process(target=as_rank, args=(rank,)) for rank in range(2)]
    for rank in ranks:
        rank.start()
    for rank in ranks:
        rank.join()
    return max(abs(rank.exitcode) for rank in ranks)


def take_all_steps(folder: Path) -> None:
    tables = json.loads((folder / "tables.json").read_text())
    with processes("cpu"):
        results = {name: take_steps(each) for name, each in tables.items()}
        torch.save(results, folder / f"{dist.get_rank()}.pt")


if __name__ == "__main__":
    if sys.argv[1] == "train":
        sys.exit(fork_ranks(lambda: sys.exit(main(sys.argv[1:]))))
    sys.exit(fork_ranks(lambda: take_all_steps(Path(sys.argv[1]))))
