"""An article with tensors."""

from pathlib import Path

import numpy as np
import torch

from report import Data, conjure

WEIGHTS = np.loadtxt(Path(__file__).parent / "data" / "weights.txt", dtype=np.float32)
NET = torch.nn.Linear(2, 1)
NET.load_state_dict({"weight": torch.tensor(WEIGHTS)[None], "bias": torch.zeros(1)})


@conjure
def tensor(x) -> Data:
    return Data(x.tolist())


@conjure
def device(place) -> Data:
    return Data("a place to compute")


@conjure
def network() -> Data:
    return Data(NET(torch.ones(2)).tolist())


# %%
tensor(torch.arange(4.0))
device(torch.device("cpu"))
network()
