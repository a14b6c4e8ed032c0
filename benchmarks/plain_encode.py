"""The encoder in its plainest form, which the fast one is measured against.

At each step all candidates are drawn, all events found so far are drawn again, autograd takes the
gradient of the exact scene, and products with nearly empty matrices are dense. The project encoded
like this, with these settings, until refinement had a scene of its own.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sparse_codec import SparseCodec
from sparse_codec.config import CodecConfig
from sparse_codec.model.decoder import around
from sparse_codec.model.encoder import HarmonicEncoder
from sparse_codec.model.events import Events
from sparse_codec.model.greedy import joint_gains
from sparse_codec.model.harmonic_decoder import Ages, Decays, HarmonicDecoder, Sounding
from sparse_codec.model.refine import FreeEvents, settle
from sparse_codec.model.scene_loss import MEL_FLOOR, RESOLUTIONS, SceneWeights
from sparse_codec.model.spectrogram import mel_bands, place

RATE = 0.1  # of Adam, with its usual betas
EVERY, INTERIM, FINAL = 4, 20, 60  # steps after every fourth event, and at the end


class PlainDecoder(HarmonicDecoder):
    """Levels as products over all frames, drawn number by number."""

    def resonate(self, sound: Sounding, envelopes: Tensor, at: Ages) -> Tensor:
        decays, n_harmonics = sound.resonance, self.sizes.harmonics
        assert isinstance(decays, Decays)
        fall = torch.exp(-decays.decay[:, :, None] * at.age.clamp(min=0)[:, None])
        counts = torch.tensor([n_harmonics, self.sizes.noise_bands])
        levels = sound.strength[:, :, None] * fall * envelopes.repeat_interleave(counts, 1)
        tilt = self.between_knots(decays.tilt[:, None], at)
        rise = torch.exp(tilt * torch.log2(self.order)[:, None])
        return torch.cat([levels[:, :n_harmonics] * rise, levels[:, n_harmonics:]], 1)

    def spectrograms(self, vectors: Tensor, offsets: Tensor) -> Tensor:
        bins, levels = self.parts(vectors, offsets)
        frames = torch.arange(self.event_frames).expand(len(vectors), -1)
        return self._draw(bins, levels, torch.arange(len(vectors)), frames, self.event_frames)

    def scene(self, events: Events, n_frames: int) -> Tensor:
        flat = events.flatten()
        bins, levels = self.parts(flat.vectors, flat.offsets)
        at = flat.frames[:, None] - self.lead + torch.arange(self.event_frames)
        inside = (at >= 0) & (at < n_frames)
        levels = levels * (flat.gains[:, None] * inside)[:, None]
        batch, n_events = events.gains.shape
        image = torch.arange(batch).repeat_interleave(n_events)
        return self._draw(bins, levels, image, at.clamp(0, n_frames - 1), n_frames)

    def _draw(
        self, bins: Tensor, levels: Tensor, image: Tensor, frames: Tensor, n_frames: int
    ) -> Tensor:
        n_harmonics, n_bins, n_images = self.sizes.harmonics, self.config.n_bins, int(image[-1]) + 1
        column = image[:, None] * n_frames + frames
        near = bins.detach().floor().long()[:, :, None] + torch.arange(-1, 3)[:, None]
        lobes = torch.cos(math.pi / 4 * (near - bins[:, :, None]).clamp(-2, 2)).pow(2)
        heights = levels[:, :n_harmonics, None] * (lobes * (near < n_bins))
        index = near.clamp(0, n_bins - 1) * (n_images * n_frames) + column[:, None, None]
        tones = heights.new_zeros(n_bins * n_images * n_frames)
        tones = tones.index_add(0, index.flatten(), heights.flatten()).view(n_bins, -1)
        hiss = levels[:, n_harmonics:].transpose(0, 1).flatten(1)
        hiss = hiss.new_zeros(len(hiss), n_images * n_frames).index_add(1, column.flatten(), hiss)
        picture = tones + self.bands.T @ hiss
        return picture.view(n_bins, n_images, n_frames).transpose(0, 1)


class PlainEncoder(HarmonicEncoder):
    """Dense products, and peaks by pooling."""

    def __init__(self, config: CodecConfig, decoder: HarmonicDecoder):
        super().__init__(config, decoder)
        mel = mel_bands(self.sizes.mel_bands, config.n_bins, config.samplerate)
        self.mel = Dense(mel / mel.sum(1, keepdim=True))
        self.salience = Dense(self._salience())

    def choose(
        self, scores: Tensor, n_candidates: int, explore: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        n_frames = scores.shape[2]
        peak = F.max_pool2d(scores[:, None], (3, 5), 1, (1, 2))[:, 0] == scores
        best = torch.where(peak, scores, scores - 20).flatten(1).topk(n_candidates, 1).indices
        return best // n_frames, best % n_frames


class Dense(nn.Module):
    """A product with a constant matrix."""

    def __init__(self, matrix: Tensor):
        super().__init__()
        self.matrix = matrix

    def forward(self, x: Tensor) -> Tensor:
        return self.matrix @ x


class PlainLoss:
    """`SceneLoss` of one segment, by autograd."""

    def __init__(self, original: Tensor, config: CodecConfig):
        self.original = original
        self.energy, self.norm = original.pow(2).sum() + 1e-9, original.abs().sum() + 1e-9
        bands = [mel_bands(n, config.n_bins, config.samplerate) for n, _ in RESOLUTIONS]
        self.bands = [mel / mel.sum(1, keepdim=True) for mel in bands]
        heard = self._mel(original.clamp(min=0))
        self.floors = [MEL_FLOOR * mel.amax() + 1e-9 for mel in heard]
        self.log_mel = [
            torch.log(mel + floor) for mel, floor in zip(heard, self.floors, strict=True)
        ]

    def __call__(self, scene: Tensor) -> Tensor:
        weights, left = SceneWeights(), self.original - scene
        distances = [
            (torch.log(mel + floor) - aim).abs().mean()
            for mel, floor, aim in zip(self._mel(scene), self.floors, self.log_mel, strict=True)
        ]
        shares = weights.l2 * left.pow(2).sum() / self.energy
        shares = shares + weights.l1 * left.abs().sum() / self.norm
        return shares + weights.perceptual * torch.stack(distances).mean()

    def _mel(self, spectrogram: Tensor) -> list[Tensor]:
        pooled = [
            F.avg_pool1d(spectrogram, frames) if frames > 1 else spectrogram
            for _, frames in RESOLUTIONS
        ]
        return [bands @ each for bands, each in zip(self.bands, pooled, strict=True)]


def plain_codec(name: str) -> SparseCodec:
    """Return a shipped harmonic codec with the parts of this module."""
    codec = SparseCodec.load(name)
    make_plain(codec)
    return codec.eval()


def make_plain(codec: SparseCodec) -> None:
    """Give a harmonic codec the parts of this module, with the parameters that its own have."""
    decoder = PlainDecoder(codec.config)
    encoder = PlainEncoder(codec.config, decoder)
    for ours, theirs in ((decoder, codec.decoder), (encoder, codec.encoder)):
        for name, parameter in theirs.named_parameters():
            owner, _, last = name.rpartition(".")
            setattr(ours.get_submodule(owner), last, parameter)
    codec.decoder, codec.encoder = decoder, encoder


@torch.no_grad()
def plain_decompose(codec: SparseCodec, original: Tensor) -> tuple[Events, Tensor]:
    """Return events of a magnitude spectrogram (1, F, T), and the residual that they leave.

    The codec is one of `plain_codec`.
    """
    config, events = codec.config, Events.zeros(1, 0, codec.config.vector_size, codec.device)
    residual, spectra = original, original.new_zeros(0, config.n_bins * config.horizon_frames)
    for n in range(1, config.n_events + 1):
        candidates = codec.encoder(residual, config.encode.candidates).events
        target, flat = around(residual, candidates.frames, codec.decoder), candidates.flatten()
        drawn = codec.decoder.spectrograms(flat.vectors, flat.offsets) * target.mask[:, None]
        norms = drawn.pow(2).sum((1, 2)).add(1e-12).sqrt()
        best = int(((target.spectrum * drawn).sum((1, 2)) / norms).argmax())
        newest = candidates[:, best : best + 1]
        events = _append(events, newest)
        spectra = torch.cat([spectra, _spectra(codec, newest)])
        events.gains[:] = _best_gains(codec, original, spectra)
        if n == config.n_events or n % EVERY == 0:
            steps = FINAL if n == config.n_events else INTERIM
            events = _refine(codec, original[..., : config.horizon_frames], events, steps)
            spectra = _spectra(codec, events)
        residual = original - codec.decoder.scene(events, config.n_frames)
    return events, residual


def _append(events: Events, one: Events) -> Events:
    return Events(*(torch.cat(pair, 1) for pair in zip(events.columns, one.columns, strict=True)))


def _spectra(codec: SparseCodec, events: Events) -> Tensor:
    flat, horizon = events.flatten(), codec.config.horizon_frames
    spectra = codec.decoder.spectrograms(flat.vectors, flat.offsets)
    return place(spectra, flat.frames, codec.decoder.lead, horizon).flatten(1)


def _best_gains(codec: SparseCodec, original: Tensor, spectra: Tensor) -> Tensor:
    aim = spectra @ original[..., : codec.config.horizon_frames].flatten()
    return joint_gains((spectra @ spectra.T).double()[None], aim.double()[None])


def _refine(codec: SparseCodec, original: Tensor, events: Events, steps: int) -> Events:
    loss, moving = PlainLoss(original, codec.config), FreeEvents(events, codec.decoder.pace)
    optimiser = torch.optim.Adam([moving.free], lr=RATE)
    with torch.enable_grad():
        for step in range(steps):
            optimiser.param_groups[0]["lr"] = RATE * (0.5 + 0.5 * math.cos(math.pi * step / steps))
            distance = loss(codec.decoder.scene(moving.events(), original.shape[2]))
            (moving.free.grad,) = torch.autograd.grad(distance, moving.free)
            optimiser.step()
    with torch.no_grad():
        return settle(moving.events(), codec.config.half_frames - 1)
