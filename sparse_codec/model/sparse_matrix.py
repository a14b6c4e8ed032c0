"""Products with matrices that are nearly empty: mel bands, harmonic series, the lobes of partials.

Such a product is a weighted sum of a few rows, which `embedding_bag` adds up without a copy.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class SparseMatrix(nn.Module):
    """A constant matrix (M, F) by its entries, row after row; it moves with the module it is in."""

    columns: Tensor  # of each entry
    starts: Tensor  # (M,) the first entry of each row
    weights: Tensor  # of each entry

    def __init__(self, matrix: Tensor):
        super().__init__()
        rows, columns = matrix.nonzero(as_tuple=True)
        counts = torch.bincount(rows, minlength=len(matrix))
        self.register_buffer("columns", columns, persistent=False)
        self.register_buffer("starts", counts.cumsum(0) - counts, persistent=False)
        self.register_buffer("weights", matrix[rows, columns], persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return the product (M, T) with x (F, T), or (B, M, T) with x (B, F, T)."""
        if x.dim() == 2:
            return weighted_rows(x, self.columns, self.starts, self.weights)
        if len(x) == 1:
            return self(x[0])[None]
        return torch.stack([self(each) for each in x])


def weighted_rows(x: Tensor, rows: Tensor, starts: Tensor | None, weights: Tensor) -> Tensor:
    """Return sums of rows of x (F, T), each times its weight.

    rows, weights: of all sums one after the other, where `starts` has the first of each; or
    (M, k), M sums of k rows each.
    """
    return F.embedding_bag(rows, x, starts, mode="sum", per_sample_weights=weights)
