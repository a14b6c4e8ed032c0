"""An article with tensors."""

import torch

from report import Data, conjure


@conjure
def tensor(x) -> Data:
    return Data(x.tolist())


@conjure
def device(place) -> Data:
    return Data("a place to compute")


# %%
tensor(torch.arange(4.0))
device(torch.device("cpu"))
