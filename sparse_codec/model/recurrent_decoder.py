"""A second decoder: the excitation drives a small linear recurrence, whose modes ring, beat and die
away.

It has the stages of the harmonic decoder, but another resonance. There each part falls at its own
rate; here a state-space model of S damped modes is driven by the excitation, and each part is the
modulus of a sum of these modes. Modes that fall at several rates give a decay with more than one
slope, modes that turn against each other beat, and slow ones are bowed rather than struck.

Shapes: E events, P parts (harmonics and noise bands), S modes, L ages.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from sparse_codec.config import CodecConfig, RecurrentDecoderConfig
from sparse_codec.model.harmonic_decoder import Ages, HarmonicDecoder, Resonance, Sounding

# Per frame: the rates at which modes fall before training are spread between these.
SLOWEST, FASTEST = 0.005, 1.0
BEAT = math.pi / 4  # radians a frame: how fast a mode may turn, at most


@dataclass(frozen=True)
class Modes(Resonance):
    """A resonance as a recurrence: modes (E, S), and the share of each in each part."""

    fall: Tensor  # (E, S) per frame
    turn: Tensor  # (E, S) radians a frame
    readout: Tensor  # (E, P, S) complex


class RecurrentDecoder(HarmonicDecoder):
    """The harmonic decoder with another second stage."""

    any_ages = False
    sizes: RecurrentDecoderConfig

    def __init__(self, config: CodecConfig):
        assert isinstance(config.decoder, RecurrentDecoderConfig)
        super().__init__(config)

    def outputs(self) -> dict[str, int]:
        counts = super().outputs()
        for name in ("tone_decay", "hiss_decay", "tilt"):
            del counts[name]
        pitch = {name: counts.pop(name) for name in ("glide", "rate") if name in counts}
        n_states = self.sizes.states
        counts |= {"fall": n_states, "real": self.n_parts * n_states}
        return counts | {"imaginary": self.n_parts * n_states, "turn": n_states} | pitch

    @torch.no_grad()
    def start_read(self, weight: Tensor, bias: Tensor) -> None:
        """Set the last layer so that, before training, modes differ in how fast they fall, none
        turns, and the pitch stands still.
        """
        last = ("imaginary", "turn", "glide", "rate")
        rows = sum(self.counts.get(name, 0) for name in last)
        weight[-rows:].zero_()
        bias[-rows:].zero_()
        before = sum(list(self.counts.values())[: list(self.counts).index("fall")])
        falls = torch.logspace(math.log10(SLOWEST), math.log10(FASTEST), self.sizes.states)
        inverse_softplus = torch.log(torch.expm1(falls))
        bias[before : before + self.sizes.states] = inverse_softplus

    def read_resonance(self, read: dict[str, Tensor]) -> Modes:
        shape = (self.n_parts, self.sizes.states)
        readout = torch.complex(1 + read["real"].float(), read["imaginary"].float())
        return Modes(
            fall=F.softplus(read["fall"].float()) + 1e-4,
            turn=BEAT * torch.tanh(read["turn"].float()),
            readout=readout.unflatten(1, shape) / self.sizes.states,
        )

    def resonate(self, sound: Sounding, envelopes: Tensor, at: Ages) -> Tensor:
        """Return levels (E, P, L) of the parts under an excitation (E, 2, L) at equally spaced ages
        (E, L).
        """
        modes, harmonics = sound.resonance, self.sizes.harmonics
        assert isinstance(modes, Modes)
        tones, hiss = self.ring(modes, envelopes, at.age).unbind(1)
        parts = [modes.readout[:, :harmonics] @ tones, modes.readout[:, harmonics:] @ hiss]
        level = torch.view_as_real(torch.cat(parts, 1)).pow(2).sum(3)
        return sound.strength[:, :, None] * torch.sqrt(level + 1e-12)

    # A mode is one entry of a diagonal state-space model under an excitation e. Over a step d,
    #   x[l] = a x[l - 1] + b e[l]  with a = exp(-(fall + i turn) d), b = 1 - exp(-fall d).
    # The decay a is that of dx/dt = -(fall + i turn) x, exactly. The input's weight b makes a mode
    # that does not turn come to the level of an excitation that stays: x = a x + (1 - a) e gives
    # x = e. In the step in which the event begins, only the part after the onset drives the mode,
    # so b has the age there in place of d.
    # Unrolled, x[l] is the sum over k <= l of a^(l - k) b e[k]: the convolution of b e with the
    # kernel a^m. By FFT all ages come at once, and with twice the length nothing wraps around.
    # Source: Gu et al. 2022, arXiv:2206.11893, section 3 (diagonal models as convolutions); there b
    # is the exact integral over the step, (1 - a) / (fall + i turn).
    def ring(self, modes: Modes, envelopes: Tensor, age: Tensor) -> Tensor:
        """Return the complex states (E, 2, S, L) of the modes under both excitations (E, 2, L)."""
        step = age[0, 1] - age[0, 0]
        since = age.clamp(min=0).minimum(step)
        weight = -torch.expm1(-modes.fall[:, None, :, None] * since[:, None, None])
        drive = envelopes[:, :, None] * weight
        at = step * torch.arange(age.shape[1], device=age.device)
        kernel = torch.exp(-torch.complex(modes.fall, modes.turn)[:, :, None] * at)  # (E, S, L)
        size = 2 * age.shape[1]
        response = torch.fft.fft(kernel, size)[:, None]
        spectrum = torch.fft.fft(drive.to(kernel.dtype), size) * response
        return torch.fft.ifft(spectrum, size)[..., : age.shape[1]]
