"""One optimiser step of training."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from sparse_codec.codec import SparseCodec
from sparse_codec.config import TrainingConfig
from sparse_codec.model.decoder import around
from sparse_codec.model.scene_loss import SceneLoss, SceneWeights
from sparse_codec.model.spectrogram import place
from sparse_codec.training.discriminator import generator_loss
from sparse_codec.training.losses import greedy_loss, removal
from sparse_codec.training.pool import Draw, Pool, Scenes


@dataclass(frozen=True)
class Outcome:
    """What a training step found. B segments of this process's share."""

    loss: Tensor  # scalar, without the discriminator's own
    events: Tensor  # (B, F, T), what is to be taken off the residuals
    share: Tensor  # scalar, mean share of energy that the events remove
    scene: Tensor  # scalar, 0 without scenes
    realism: Tensor  # scalar, the adversarial term; 0 in steps without


class Learner(nn.Module):
    """A codec with its losses: what DistributedDataParallel wraps."""

    def __init__(self, codec: SparseCodec, training: TrainingConfig):
        super().__init__()
        self.codec, self.training = codec, training

    def forward(
        self, pool: Pool, draw: Draw, scenes: Scenes, discriminator: nn.Module | None
    ) -> Outcome:
        weights, codec = self.training, self.codec
        loss, events, share = self._greedy(pool.residual[draw.rows], draw)
        zero = loss.new_zeros(())
        scene = self._scene(scenes) if len(scenes) else zero
        realism = zero
        if discriminator is not None:
            heard = (pool.heard[draw.rows] + events)[:, :, : codec.config.half_frames]
            realism = generator_loss(discriminator(heard))
        return Outcome(loss + scene + weights.adversarial * realism, events, share, scene, realism)

    def _greedy(self, residual: Tensor, draw: Draw) -> tuple[Tensor, Tensor, Tensor]:
        """The greedy loss of candidates, the best of them as (B, F, T), and the mean share of energy it removes."""
        weights, codec, device = self.training, self.codec, residual.device
        with torch.autocast(device.type, torch.bfloat16, enabled=weights.bf16):
            proposed = codec.encoder(
                residual, weights.candidates, draw.explore if weights.candidates > 1 else None
            )
        target = around(residual, proposed.frames, codec.decoder)
        vectors, offsets = (
            proposed.vectors.flatten(0, 1).float(),
            proposed.offsets.flatten().float(),
        )
        events = codec.decoder.spectrograms(vectors, offsets)
        gain = proposed.switches.flatten() if codec.config.gain == "switch" else None
        removed = removal(target, events, gain)
        loss = greedy_loss(removed, proposed.scores.flatten().float(), weights)
        best = removed.share.detach().unflatten(0, proposed.frames.shape).argmax(1)
        best = best + weights.candidates * torch.arange(len(residual), device=device)
        chosen = removed.gain[best, None, None] * events[best]
        placed = place(
            chosen, proposed.frames.flatten()[best], codec.decoder.lead, codec.config.n_frames
        )
        return loss, placed, removed.share[best].mean()

    def _scene(self, scenes: Scenes) -> Tensor:
        weights, now = self.training, scenes.events.events()
        terms = SceneWeights(
            weights.scene_l2, weights.scene_l1, weights.perceptual, weights.sparsity
        )
        n_frames = scenes.original.shape[2]
        picture = self.codec.decoder.scene(
            now.vectors, now.offsets, now.frames, now.gains, n_frames
        )
        return SceneLoss(scenes.original, self.codec.config, terms)(picture, now.gains).mean()
