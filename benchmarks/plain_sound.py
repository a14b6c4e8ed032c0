"""The harmonic decoder's sound in its plainest form, which the decoder is measured against.

All stages are made though the last is heard, noise goes through `torch.istft`, and a sine is taken
for each partial and sample of a glide. The room is that of the first version, a convolution with
noise, or as today levels, summed up frame by frame.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from sparse_codec import EventSet, SparseCodec
from sparse_codec.config import SYNTHESIS_HOP
from sparse_codec.model.decoder import LN_1000, Stages, fixed_noise
from sparse_codec.model.events import Events
from sparse_codec.model.harmonic_decoder import (
    SYNTHESIS_WINDOW,
    Dry,
    HarmonicDecoder,
)
from sparse_codec.model.spectrogram import hann, mel_bands


def plain_render(
    decoder: HarmonicDecoder,
    vectors: Tensor,
    offsets: Tensor,
    phases: torch.dtype = torch.float,
    convolved: bool = False,
) -> Stages:
    """Return the sound (E, T) of each stage of events at unit gain.

    phases: the type of those within a block, which reach 400 radians; float32 goes in steps of
    1/32768 there. convolved: the room is a convolution.
    """
    dry = decoder.dry(vectors, offsets)
    before = decoder.colourless(dry)
    excitation = _synthesise(decoder, dry.bins, before, phases)
    resonance = _synthesise(decoder, dry.bins, dry.levels, phases)
    if not convolved:
        room = _synthesise(decoder, dry.bins, _levels_in_room(decoder, dry), phases)
        return Stages(excitation, resonance, room)
    age = torch.arange(resonance.shape[1])[None] / decoder.config.hop
    return Stages(excitation, resonance, _room(decoder, dry, resonance) * decoder.fade(age))


@torch.no_grad()
def plain_decode(codec: SparseCodec, events: EventSet) -> np.ndarray:
    """Return the sound (T,) of all events as the first version made it, each at its onset."""
    assert isinstance(codec.decoder, HarmonicDecoder)
    sound, columns = np.zeros(events.n_samples, np.float32), Events.of(events, codec.device)
    for i, (onset, gain) in enumerate(zip(events.onsets, events.gains, strict=True)):
        vectors, offsets = columns.vectors[:, i], columns.offsets[:, i]
        stages = plain_render(codec.decoder, vectors, offsets, convolved=True)
        heard = stages.room[0].numpy()[: max(0, len(sound) - onset)]
        sound[onset : onset + len(heard)] += gain * heard
    return sound


def _synthesise(
    decoder: HarmonicDecoder, bins: Tensor, levels: Tensor, phases: torch.dtype
) -> Tensor:
    harmonics = decoder.sizes.harmonics
    audible = bins < decoder.config.n_bins - 2
    tones = _partials(decoder, bins, levels[:, :harmonics] * audible, phases)
    return tones + _noise(decoder, levels[:, harmonics:])


def _partials(
    decoder: HarmonicDecoder, bins: Tensor, levels: Tensor, phases: torch.dtype
) -> Tensor:
    step = (2 * math.pi / decoder.config.window) * bins.double()  # (E, H, blocks + 1 or 1)
    step = step if step.shape[2] == 1 else (step[:, :, :-1] + step[:, :, 1:]) / 2
    sample = torch.arange(SYNTHESIS_HOP, dtype=torch.double)
    steps = step.expand(-1, -1, levels.shape[2] - 1) * SYNTHESIS_HOP
    golden = decoder.order.double() * (math.sqrt(5) - 1) / 2
    start = steps.cumsum(2) - steps + 2 * math.pi * (golden % 1)[:, None]
    inside = (step[:, :, :, None] * sample).to(phases)
    rows = "ehs" if inside.shape[2] == 1 else "ehbs"
    inside = inside[:, :, 0] if rows == "ehs" else inside

    def at(edge: Tensor) -> Tensor:
        ahead = torch.einsum(f"ehb,{rows}->ebs", edge * start.sin().float(), inside.cos().float())
        return ahead + torch.einsum(
            f"ehb,{rows}->ebs", edge * start.cos().float(), inside.sin().float()
        )

    share, levels = (sample / SYNTHESIS_HOP).float(), levels / (decoder.config.window / 4)
    return ((1 - share) * at(levels[:, :, :-1]) + share * at(levels[:, :, 1:])).flatten(1)


def _noise(decoder: HarmonicDecoder, levels: Tensor) -> Tensor:
    n_samples, n_bins = (levels.shape[2] - 1) * SYNTHESIS_HOP, SYNTHESIS_WINDOW // 2 + 1
    bands = mel_bands(decoder.sizes.noise_bands, n_bins, decoder.config.samplerate)
    sizes, window = (SYNTHESIS_WINDOW, SYNTHESIS_HOP), hann(SYNTHESIS_WINDOW)
    white = torch.stft(fixed_noise(n_samples, 0), *sizes, window=window, return_complex=True)
    mean = math.sqrt(math.pi / 4 * 0.375 * decoder.config.window)
    return torch.istft(white * (bands.T @ (levels / mean)), *sizes, window=window, length=n_samples)


def _levels_in_room(decoder: HarmonicDecoder, dry: Dry) -> Tensor:
    """Levels (E, P, blocks + 1) with the room's answer."""
    config, sound = decoder.config, dry.sound
    age = torch.arange(dry.levels.shape[2]).expand(len(dry.levels), -1)
    age = age * (SYNTHESIS_HOP / config.hop)
    frames = torch.arange(decoder.sizes.event_frames + 1.0).expand(len(age), -1)
    at, whole = decoder.ages(age), decoder.ages(frames)
    # the scale, which `dry` does not tell, from the envelopes within the event
    excited, ratio = decoder.excite(sound, at), slice(1, 2)
    scale = excited[:, :1, ratio] / dry.envelopes[:, :1, ratio]
    energy = decoder.resonate(sound, decoder.excite(sound, whole) / scale, whole).pow(2)
    wet = torch.zeros_like(energy)
    for seconds, share in zip(decoder.sizes.reverberation, sound.wet.T, strict=True):
        kept = math.exp(-2 * LN_1000 * config.hop / config.samplerate / seconds)
        coming = torch.zeros_like(energy[:, :, 0])
        for frame in range(1, energy.shape[2]):
            coming = kept * coming + (1 - kept) * energy[:, :, frame - 1]
            wet[:, :, frame] += share[:, None] * coming
    wet = torch.nn.functional.interpolate(wet, age.shape[1], mode="linear", align_corners=True)
    return torch.sqrt(dry.levels.pow(2) + wet) * decoder.fade(age)[:, None]


def _room(decoder: HarmonicDecoder, dry: Dry, sound: Tensor) -> Tensor:
    times, n_samples = torch.tensor(decoder.sizes.reverberation), sound.shape[1]
    if not len(times):
        return sound
    seconds = torch.arange(n_samples) / decoder.config.samplerate
    noises = torch.stack([fixed_noise(n_samples, seed=i + 1) for i in range(len(times))])
    rooms = noises * torch.exp(-LN_1000 * seconds / times[:, None])
    response = dry.sound.wet.sqrt() @ (rooms / rooms.norm(dim=1, keepdim=True))
    product = torch.fft.rfft(sound, 2 * n_samples) * torch.fft.rfft(response, 2 * n_samples)
    return sound + torch.fft.irfft(product, 2 * n_samples)[:, :n_samples]
