"""The encoder in its plainest form, which the fast one is measured against.

At each step all candidates are drawn, all events found so far are drawn again, and autograd takes
the gradient of the exact scene. It is how this project encoded until the fast scene was written,
with the settings of then.
"""

import math

import torch
from torch import Tensor

from sparse_codec import SparseCodec
from sparse_codec.model.decoder import around
from sparse_codec.model.events import Events
from sparse_codec.model.greedy import joint_gains
from sparse_codec.model.refine import FreeEvents, settle
from sparse_codec.model.scene_loss import SceneLoss
from sparse_codec.model.spectrogram import place

RATE = 0.1  # of Adam, with its usual betas
EVERY, INTERIM, FINAL = 4, 20, 60  # steps after every fourth event, and at the end


@torch.no_grad()
def plain_decompose(codec: SparseCodec, original: Tensor) -> tuple[Events, Tensor]:
    """Return events of a magnitude spectrogram (1, F, T), and the residual that they leave."""
    config, events = codec.config, Events.zeros(1, 0, codec.config.vector_size, codec.device)
    residual = original
    for n in range(1, config.n_events + 1):
        candidates = codec.encoder(residual, config.encode.candidates).events
        target, flat = around(residual, candidates.frames, codec.decoder), candidates.flatten()
        drawn = codec.decoder.spectrograms(flat.vectors, flat.offsets) * target.mask[:, None]
        norms = drawn.pow(2).sum((1, 2)).add(1e-12).sqrt()
        best = int(((target.spectrum * drawn).sum((1, 2)) / norms).argmax())
        events = _append(events, candidates[:, best : best + 1])
        events.gains[:] = _best_gains(codec, original, events)
        if n == config.n_events or n % EVERY == 0:
            steps = FINAL if n == config.n_events else INTERIM
            events = _refine(codec, original[..., : config.horizon_frames], events, steps)
        residual = original - codec.decoder.scene(events, config.n_frames)
    return events, residual


def _append(events: Events, one: Events) -> Events:
    return Events(*(torch.cat(pair, 1) for pair in zip(events.columns, one.columns, strict=True)))


def _best_gains(codec: SparseCodec, original: Tensor, events: Events) -> Tensor:
    horizon, flat = codec.config.horizon_frames, events.flatten()
    spectra = codec.decoder.spectrograms(flat.vectors, flat.offsets)
    rows = place(spectra, flat.frames, codec.decoder.lead, horizon).flatten(1)
    aim = rows @ original[..., :horizon].flatten()
    return joint_gains((rows @ rows.T).double()[None], aim.double()[None])


def _refine(codec: SparseCodec, original: Tensor, events: Events, steps: int) -> Events:
    loss, moving = SceneLoss(original, codec.config), FreeEvents(events, codec.decoder.pace)
    optimiser = torch.optim.Adam([moving.free], lr=RATE)
    with torch.enable_grad():
        for step in range(steps):
            optimiser.param_groups[0]["lr"] = RATE * (0.5 + 0.5 * math.cos(math.pi * step / steps))
            now = moving.events()
            distance = loss(codec.decoder.scene(now, original.shape[2]), now.gains).sum()
            (moving.free.grad,) = torch.autograd.grad(distance, moving.free)
            optimiser.step()
    with torch.no_grad():
        return settle(moving.events(), codec.config.half_frames - 1)
