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

LOBE_ENERGY = 1.5  # of a partial of level 1 in one frame, see `Lobes`
# rows of a wider picture: a partial may move below the lowest bin, or out at the top
MARGIN_BELOW, MARGIN_ABOVE = 1, 4


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
# 1.5 is left.
# A partial that is p above the bin next below it is p + 1, p, p - 1 and p - 2 from the four bins.
# With cos(y)^2 = (1 + cos(2 y)) / 2, s = sin(pi p / 2) and c = cos(pi p / 2) its lobe there is
#   (1 - s) / 2, (1 + c) / 2, (1 + s) / 2, (1 - c) / 2,
# and the derivatives by the partial's bin are pi / 4 times -c, -s, c, s.
# Source: Harris 1978, On the use of windows for harmonic analysis, Proc. IEEE 66.
@dataclass(frozen=True)
class Lobes:
    """Four bins around each partial; fields have the partials' shape."""

    below: Tensor  # the bin next below; the first of the four is the one before it
    sine: Tensor
    cosine: Tensor

    @classmethod
    def of(cls, bins: Tensor) -> Lobes:
        below = bins.floor()
        angle = (math.pi / 2) * (bins - below)
        return cls(below.long(), angle.sin(), angle.cos())

    def heights(self) -> tuple[Tensor, ...]:
        """Return how high the lobe is in each of the four bins."""
        s, c = 0.5 * self.sine, 0.5 * self.cosine
        return 0.5 - s, 0.5 + c, 0.5 + s, 0.5 - c

    def slopes(self) -> tuple[Tensor, ...]:
        """Return the derivatives of these heights by the partial's bin."""
        s, c = (math.pi / 4) * self.sine, (math.pi / 4) * self.cosine
        return -c, -s, c, s

    def slope(self, first: Tensor, second: Tensor, third: Tensor, fourth: Tensor) -> Tensor:
        """Return the sum of what the four bins hold, each times its slope."""
        return ((third - first) * self.cosine + (fourth - second) * self.sine) * (math.pi / 4)


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
        lobes, n_bins = Lobes.of(bins.flatten()), place.bands.n_bins
        near = lobes.below[:, None] + torch.arange(-1, 3, device=bins.device)
        exists = (near < n_bins).to(bins.dtype)
        pictures = place.pictures(bins).repeat_interleave(bins.shape[1])
        rows = near.clamp(0, n_bins - 1) + (pictures * n_bins)[:, None]
        heights, slopes = (torch.stack(x, 1) * exists for x in (lobes.heights(), lobes.slopes()))
        return cls(place, rows, heights, slopes)

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
    """Draws parts (E, P, C) wherever their partials and their columns are, number by number.

    Pictures have a margin of rows above and below, which takes what lies outside and is cut off.
    """

    @staticmethod
    def forward(ctx: Any, parts: Tensor, bins: Tensor, place: Place) -> Tensor:
        n_harmonics, (n_pictures, n_bins, n_frames) = bins.shape[1], place.shape
        frames = place.frames
        if frames is None:
            frames = torch.arange(n_frames, device=bins.device).expand(len(parts), -1)
        lobes, picture_of = Lobes.of(bins), place.pictures(parts)
        n_rows = n_bins + MARGIN_BELOW + MARGIN_ABOVE
        first = lobes.below.clamp(0, n_bins + 1) + (MARGIN_BELOW - 1)
        rows = first + (picture_of * n_rows)[:, None, None]
        cells = (rows * n_frames + frames[:, None]).flatten()  # of the first bin of each lobe
        tones = parts[:, :n_harmonics]
        wide = parts.new_zeros(n_pictures, n_rows, n_frames)
        for bin, height in enumerate(lobes.heights()):
            wide.view(-1)[bin * n_frames :].index_add_(0, cells, (tones * height).flatten())
        picture = wide[:, MARGIN_BELOW : MARGIN_BELOW + n_bins].contiguous()
        times = (picture_of * n_frames)[:, None] + frames  # (E, C) of B T
        hiss = parts.new_zeros(n_pictures * n_frames, place.bands.n_bands)
        hiss.index_add_(0, times.flatten(), parts[:, n_harmonics:].mT.flatten(0, 1))
        picture += place.bands.draw(hiss.view(n_pictures, n_frames, -1).mT.contiguous())
        ctx.save_for_backward(parts, cells, times)
        ctx.lobes, ctx.place = lobes, place
        return picture

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, None]:
        (parts, cells, times), lobes, place = ctx.saved_tensors, ctx.lobes, ctx.place
        grad, n_frames = grad.contiguous(), place.n_frames
        wide = torch.nn.functional.pad(grad, (0, 0, MARGIN_BELOW, MARGIN_ABOVE)).view(-1)
        shape = (len(parts), lobes.below.shape[1], parts.shape[2])
        around = [wide[bin * n_frames :].take(cells).view(shape) for bin in range(4)]
        d_tones = sum(height * held for height, held in zip(lobes.heights(), around, strict=True))
        d_bins = lobes.slope(*around).mul_(parts[:, : shape[1]])
        if lobes.below.shape[2] == 1:
            d_bins = d_bins.sum(2, keepdim=True)
        hiss = place.bands.read(grad).mT.flatten(0, 1)[times].mT  # (E, M, C)
        return torch.cat([d_tones, hiss], 1), d_bins, None
