"""One optimiser step of training."""

import functools
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from sparse_codec.codec import SparseCodec
from sparse_codec.config import TrainingConfig
from sparse_codec.model.decoder import around
from sparse_codec.model.encoder import Candidates
from sparse_codec.model.fast_scene import FittingScene, fitting_scene
from sparse_codec.model.scene_loss import SceneLoss, SceneWeights
from sparse_codec.model.spectrogram import place
from sparse_codec.training.discriminator import generator_loss
from sparse_codec.training.losses import greedy_loss, removal
from sparse_codec.training.pool import Draw, Pool, Scenes


@dataclass(frozen=True)
class Outcome:
    """The results of a training step. B segments of this process's slice."""

    loss: Tensor  # scalar, without the discriminator's own
    events: Tensor  # (B, F, T) to be taken off the residuals
    share: Tensor  # scalar, mean share of energy that the events remove
    scene: Tensor  # scalar, 0 without scenes
    realism: Tensor  # scalar, the adversarial term; 0 in steps without


class Learner(nn.Module):
    """A codec with its losses: the module that DistributedDataParallel wraps."""

    def __init__(self, codec: SparseCodec, weights: TrainingConfig):
        super().__init__()
        self.codec, self.weights = codec, weights

    def forward(
        self, pool: Pool, draw: Draw, scenes: Scenes, discriminator: nn.Module | None
    ) -> Outcome:
        loss, events, share = self._greedy(pool.residual[draw.rows], draw)
        zero = loss.new_zeros(())
        scene = self._scene(scenes) if len(scenes) else zero
        realism = zero
        if discriminator is not None:
            sum_of_events = pool.heard[draw.rows] + events
            judged = discriminator(sum_of_events[:, :, : self.codec.config.half_frames])
            realism = generator_loss(judged)
        loss = loss + scene + self.weights.adversarial * realism
        return Outcome(loss, events, share, scene, realism)

    def _greedy(self, residual: Tensor, draw: Draw) -> tuple[Tensor, Tensor, Tensor]:
        """The greedy loss of candidates, the best of them as (B, F, T), and the mean share of
        energy that it removes.
        """
        weights, codec, device = self.weights, self.codec, residual.device
        explore = draw.explore if weights.candidates > 1 else None
        with torch.autocast(device.type, torch.bfloat16, enabled=weights.bf16):
            candidates: Candidates = codec.encoder(residual, weights.candidates, explore)
        target = around(residual, candidates.events.frames, codec.decoder)
        flat = candidates.events.flatten()
        events = codec.decoder.spectrograms(flat.vectors.float(), flat.offsets.float())
        removed = removal(target, events, flat.gains if codec.config.gain == "switch" else None)
        loss = greedy_loss(removed, candidates.scores.flatten().float(), weights)
        best = removed.share.detach().unflatten(0, candidates.scores.shape).argmax(1)
        best = best + weights.candidates * torch.arange(len(residual), device=device)
        chosen = removed.gain[best, None, None] * events[best]
        placed = place(chosen, flat.frames[best], codec.decoder.lead, codec.config.n_frames)
        return loss, placed, removed.share[best].mean()

    def _scene(self, scenes: Scenes) -> Tensor:
        """The mean loss of scenes, of all their events together."""
        weights, events = self.weights, scenes.events.events()
        terms = SceneWeights(
            weights.scene_l2, weights.scene_l1, weights.perceptual, weights.sparsity
        )
        loss = SceneLoss(scenes.original, self.codec.config, terms)
        return loss(self._fitting_scene(events), events.gains).mean()

    @functools.cached_property
    def _fitting_scene(self) -> FittingScene:
        """The scenes up to the horizon; its tables are made once, on the codec's device."""
        return fitting_scene(self.codec.decoder, self.codec.config.horizon_frames)
