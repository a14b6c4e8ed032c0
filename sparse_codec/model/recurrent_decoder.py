"""A second decoder: the excitation drives a small linear recurrence, whose modes ring, beat and die away.

It has the stages of the harmonic decoder, but where that one lets each part fall at a rate of its own, here a
state-space model of S damped modes hears the excitation, and each part is the modulus of a sum of these modes. Modes
that fall at several rates give a decay with more than one slope, modes that turn against each other beat, and slow
ones are bowed rather than struck.

Shapes: E events, P parts (harmonics and noise bands), S modes, L ages.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sparse_codec.model.decoder import HarmonicDecoder, Sounding

SLOWEST, FASTEST = (
    0.005,
    1.0,
)  # per frame: the rates at which untaught modes fall, spread between these
BEAT = math.pi / 4  # radians a frame: how fast a mode may turn, at most


@dataclass(frozen=True)
class Modes:
    """A resonance as a recurrence: modes (E, S), and how much of each is heard in each part (E, P, S), complex."""

    fall: Tensor  # per frame
    turn: Tensor  # radians a frame
    readout: Tensor


class RecurrentDecoder(HarmonicDecoder):
    """The harmonic decoder with another second stage. Source: Gu et al. 2022, arXiv:2206.11893 (diagonal models)."""

    def outputs(self) -> dict[str, int]:
        n_states = self.sizes.states
        inherited = {
            name: n
            for name, n in super().outputs().items()
            if "decay" not in name and name != "tilt"
        }
        glide = inherited.pop("glide")
        modes = {"fall": n_states, "real": self.n_parts * n_states}
        return (
            inherited
            | modes
            | {"imaginary": self.n_parts * n_states, "turn": n_states, "glide": glide}
        )

    @torch.no_grad()
    def start_read(self, last: nn.Linear) -> None:
        """Untaught, modes differ in how fast they fall; none turns, and the pitch stands still."""
        rows = sum(self.counts[name] for name in ("imaginary", "turn", "glide"))
        last.weight[-rows:].zero_()
        last.bias[-rows:].zero_()
        before = sum(list(self.counts.values())[: list(self.counts).index("fall")])
        falls = torch.logspace(math.log10(SLOWEST), math.log10(FASTEST), self.sizes.states)
        last.bias[before : before + self.sizes.states] = torch.log(
            torch.expm1(falls)
        )  # softplus gives them back

    def read_resonance(self, read: dict[str, Tensor]) -> Modes:
        shape = (self.n_parts, self.sizes.states)
        readout = torch.complex(1 + read["real"].float(), read["imaginary"].float()).unflatten(
            1, shape
        )
        return Modes(
            fall=F.softplus(read["fall"].float()) + 1e-4,
            turn=BEAT * torch.tanh(read["turn"].float()),
            readout=readout / self.sizes.states,
        )

    def resonate(self, sound: Sounding, envelopes: Tensor, age: Tensor) -> Tensor:
        """Levels (E, P, L) of the parts under an excitation (E, 2, L) at equally spaced ages (E, L)."""
        modes, harmonics = sound.resonance, self.sizes.harmonics
        tones, hiss = self.ring(modes, envelopes, age).unbind(1)
        heard = [modes.readout[:, :harmonics] @ tones, modes.readout[:, harmonics:] @ hiss]
        level = torch.view_as_real(torch.cat(heard, 1)).pow(2).sum(3)
        return sound.strength[:, :, None] * torch.sqrt(level + 1e-12)

    def ring(self, modes: Modes, envelopes: Tensor, age: Tensor) -> Tensor:
        """States (E, 2, S, L), complex, of the modes under both excitations (E, 2, L).

        x[l] = exp(-(fall + i turn) step) x[l - 1] + (1 - exp(-fall step)) e[l]: a mode that stands still comes to the
        level of an excitation that stays. Computed as a convolution, which for a linear recurrence is the same.
        """
        step = age[0, 1] - age[0, 0]
        since = age.clamp(min=0).minimum(step)  # the step in which an event begins is a part of one
        driven = envelopes[:, :, None] * -torch.expm1(
            -modes.fall[:, None, :, None] * since[:, None, None]
        )
        at = step * torch.arange(age.shape[1], device=age.device)
        kernel = torch.exp(-torch.complex(modes.fall, modes.turn)[:, :, None] * at)  # (E, S, L)
        size = 2 * age.shape[1]
        spectrum = (
            torch.fft.fft(driven.to(kernel.dtype), size) * torch.fft.fft(kernel, size)[:, None]
        )
        return torch.fft.ifft(spectrum, size)[..., : age.shape[1]]
