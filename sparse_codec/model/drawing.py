"""Events' parts as pictures: each partial is a lobe across bins, each noise band its mel triangle.

The gradient of a part is read off the gradient of its picture: the sum over the lobe, or the band,
with the weights that it was drawn with. Autograd would copy whole pictures for that.

Shapes: B pictures, E events, H harmonics, M noise bands, P = H + M parts, C columns of an event, T
frames of a picture, F bins.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from sparse_codec.model.sparse_matrix import SparseMatrix, weighted_rows

LOBE_ENERGY = 1.5  # of a partial of level 1 in one frame, see `lobes`


class NoiseBands(nn.Module):
    """The mel triangles (M, F) of noise bands, to draw and to read them."""

    def __init__(self, bands: Tensor):
        super().__init__()
        self.n_bands, self.n_bins = bands.shape
        self.draw = SparseMatrix(bands.T)
        self.read = SparseMatrix(bands)


@dataclass(frozen=True)
class Place:
    """Pictures (B, F, T), in each of which E / B events are drawn, one picture after the other."""

    bands: NoiseBands
    batch: int
    n_frames: int
    frames: Tensor | None = None  # (E, C) the frame of each column; None: its number

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.batch, self.bands.n_bins, self.n_frames

    def pictures(self, parts: Tensor) -> Tensor:
        """The picture (E,) of each event."""
        pictures = torch.arange(self.batch, device=parts.device)
        return pictures.repeat_interleave(len(parts) // self.batch)


def draw(parts: Tensor, bins: Tensor, place: Place) -> Tensor:
    """Return pictures (B, F, T) of parts (E, P, C) whose partials lie at bins (E, H, C or 1)."""
    if place.frames is None and bins.shape[2] == 1:
        picture: Tensor = _Rows.apply(parts, bins[:, :, 0], place)
    else:
        picture = _Cells.apply(parts, bins, place)
    return picture


# A sinusoid shows in a Hann spectrogram as the transform of the window around its frequency.
# At a distance of x bins, relative to the peak, that is
#   sin(pi x) / (pi x (1 - x^2)):  1 at 0, 1/2 at 1, 0 at 2.
# Its main lobe is four bins wide. cos(pi x / 4)^2 within these, and 0 beyond, has the same
# values there and differs by at most 0.027 elsewhere. It is cheap, and its energy does not
# depend on where the sinusoid lies between the bins: with y = pi x / 4,
#   cos(y)^4 = 3/8 + cos(2 y) / 2 + cos(4 y) / 8,
# and over four neighbouring bins y rises by pi / 4, so that both cosines sum to 0 and 4 * 3/8 =
# 1.5 is left. By the partial's bin it rises by pi / 4 sin(2 y).
# Source: Harris 1978, On the use of windows for harmonic analysis, Proc. IEEE 66.
def lobes(bins: Tensor, n_bins: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return the four bins next to each partial, how high its lobe is there, and the derivative of
    that by the partial's bin.

    Bins (E, H) or (E, H, C) -> (E, H, 4) or (E, H, 4, C) each. A partial may glide out at the top.
    """
    steps = torch.arange(-1, 3, device=bins.device).view(4, *[1] * (bins.dim() - 2))
    near = bins.floor()[:, :, None] + steps
    angle = (math.pi / 4) * (near - bins[:, :, None])
    exists = near < n_bins
    height = angle.cos().square_().mul_(exists)
    slope = angle.mul_(2).sin_().mul_(math.pi / 4).mul_(exists)
    return near.long().clamp_(0, n_bins - 1), height, slope


@dataclass(frozen=True)
class LobeRows:
    """Partials that stay in their bins, as rows of which a picture is a weighted sum."""

    place: Place
    rows: Tensor  # (E H, 4) of the pictures' B F, that each partial is in
    height: Tensor  # (E H, 4)
    slope: Tensor  # (E H, 4)

    @classmethod
    def of(cls, bins: Tensor, place: Place) -> LobeRows:
        """Return the rows of partials at bins (E, H)."""
        near, height, slope = lobes(bins, place.bands.n_bins)
        rows = near + (place.pictures(bins) * place.bands.n_bins)[:, None, None]
        return cls(place, rows.view(-1, 4), height.view(-1, 4), slope.view(-1, 4))

    def draw(self, tones: Tensor, noise: Tensor) -> Tensor:
        """Return pictures (B, F, T) of partials (E, H, T) and of noise bands (B, M, T)."""
        rows = self.rows.flatten()
        order = rows.argsort()
        counts = torch.bincount(rows, minlength=self.place.batch * self.place.bands.n_bins)
        starts, heights = counts.cumsum(0) - counts, self.height.flatten()[order]
        picture = weighted_rows(tones.flatten(0, 1), order // 4, starts, heights)
        picture = picture.view(self.place.shape)
        for image, bands in zip(picture, noise, strict=True):
            image += self.place.bands.draw(bands)
        return picture

    def read(self, grad: Tensor, tones: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return gradients of partials (E, H, T), of their bins (E, H) and of noise bands (B, M,
        T), by that of pictures (B, F, T).
        """
        flat = grad.flatten(0, 1)
        d_tones = weighted_rows(flat, self.rows, None, self.height).view_as(tones)
        slopes = weighted_rows(flat, self.rows, None, self.slope).view_as(tones)
        return d_tones, slopes.mul_(tones).sum(2), self.place.bands.read(grad)


class _Rows(torch.autograd.Function):
    """Draws parts (E, P, T) whose partials stay in their bins (E, H), in their own frames."""

    @staticmethod
    def forward(ctx: Any, parts: Tensor, bins: Tensor, place: Place) -> Tensor:
        rows, n_harmonics = LobeRows.of(bins, place), bins.shape[1]
        noise = parts[:, n_harmonics:].unflatten(0, (place.batch, -1)).sum(1)
        tones = parts[:, :n_harmonics].contiguous()
        ctx.save_for_backward(tones)
        ctx.rows = rows
        return rows.draw(tones, noise)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, None]:
        (tones,), rows = ctx.saved_tensors, ctx.rows
        d_tones, d_bins, d_noise = rows.read(grad.contiguous(), tones)
        share = len(tones) // rows.place.batch
        d_noise = d_noise[:, None].expand(-1, share, -1, -1).flatten(0, 1)
        return torch.cat([d_tones, d_noise], 1), d_bins, None


class _Cells(torch.autograd.Function):
    """Draws parts (E, P, C) wherever their partials and their columns are, number by number."""

    @staticmethod
    def forward(ctx: Any, parts: Tensor, bins: Tensor, place: Place) -> Tensor:
        n_harmonics, (n_pictures, n_bins, n_frames) = bins.shape[1], place.shape
        frames = place.frames
        if frames is None:
            frames = torch.arange(n_frames, device=bins.device).expand(len(parts), -1)
        near, height, slope = lobes(bins, n_bins)
        picture_of = place.pictures(parts)
        rows = near.add_((picture_of * n_bins)[:, None, None, None])
        cells = rows.mul(n_frames) + frames[:, None, None]  # (E, H, 4, C) of B F T
        picture = parts.new_zeros(place.shape)
        heights = parts[:, :n_harmonics, None] * height
        picture.view(-1).index_add_(0, cells.flatten(), heights.flatten())
        times = (picture_of * n_frames)[:, None] + frames  # (E, C) of B T
        hiss = parts.new_zeros(n_pictures * n_frames, place.bands.n_bands)
        hiss.index_add_(0, times.flatten(), parts[:, n_harmonics:].mT.flatten(0, 1))
        picture += place.bands.draw(hiss.view(n_pictures, n_frames, -1).mT.contiguous())
        ctx.save_for_backward(parts, cells, times, height, slope)
        ctx.place = place
        return picture

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, None]:
        parts, cells, times, height, slope = ctx.saved_tensors
        place, grad = ctx.place, grad.contiguous()
        around = grad.view(-1)[cells]  # (E, H, 4, C)
        tones = (around * height).sum(2)
        d_bins = around.mul_(slope).sum(2).mul_(parts[:, : tones.shape[1]])
        if slope.shape[3] == 1:
            d_bins = d_bins.sum(2, keepdim=True)
        hiss = place.bands.read(grad).mT.flatten(0, 1)[times].mT  # (E, M, C)
        return torch.cat([tones, hiss], 1), d_bins, None
