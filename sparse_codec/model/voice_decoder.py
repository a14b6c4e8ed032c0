"""The voice decoder: an event is a short stretch of a voice, which rises from silence to a peak and
falls to silence again.

Events of one voice overlap so that one rises while the one before falls: their levels then go
straight from peak to peak. In the mix the pulses of an event go on where those of the event before
were, so that the two do not beat; see `Voices`.

The stages are those of every decoder: excitation, pulses and noise of equal levels; resonance, the
envelope of the spectrum; there is no room.

Shapes: E events, V numbers in a vector, H harmonics, N mel bands, P = H + N parts, F bins, L frames
of an event, T samples of an event.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from sparse_codec.config import VOICE_NUMBERS, CodecConfig, VoiceDecoderConfig
from sparse_codec.model.decoder import Decoder, Mixing, Rounding, Stages, fixed_noise
from sparse_codec.model.drawing import LOBE_ENERGY, NoiseBands, Place, draw
from sparse_codec.model.events import Events
from sparse_codec.model.spectrogram import hann, mel_bands

# Places in a vector; the rest is the envelope of the spectrum. Written out, so that keys of results
# know them without importing PyTorch.
PITCH, GLIDE, VOICING, RISE, FALL, ENVELOPE = 0, 1, 2, 3, 4, 5
SHARPNESS = 12.0  # of the border between periodic and noisy, along the mel axis from 0 to 1
BORDER = 0.25  # how far beyond the axis that border may lie: then all is pulses, or all noise
SYNTHESIS_WINDOW = 256  # samples, for the noise
NOISE_SAMPLES = 2**17  # of the noise that all events take their stretch of
# Steps of rounding in files.
PITCH_STEP = 1 / 24  # octaves
# A glide nearly always ends at the next event's pitch, and is expected to.
GLIDE_STEP, VOICING_STEP = 1.0, 0.3
NOISY = -0.5  # voicing below which a pitch is not heard
ENVELOPE_STEP = 1.0  # natural logarithm of the amplitude along an axis of unit norm: 9 dB
COARSENESS = 3  # levels of gain: 2.25 dB
LEAST_WEIGHT, WORDS_BELOW = 0.35, 5500.0  # of bands; Hz
PITCH_PACE = 0.02  # of refinement, in a pitch


@dataclass(frozen=True)
class Speaking:
    """The physical meaning of vectors."""

    octave: Tensor  # (E,) of the pitch at the peak, in octaves above the lowest
    glide: Tensor  # (E,) octaves in a frame
    periodic: Tensor  # (E, N) share of each band's energy that is pulses
    rise: Tensor  # (E,) frames from the onset to the peak
    fall: Tensor  # (E,) frames from the peak to the end
    density: Tensor  # (E, N) amplitude density in each band, as that of white noise of variance 1


class VoiceDecoder(Decoder):
    """Harmonics and noise under an envelope, with a triangle over time; see the module."""

    pitch_numbers = (PITCH, GLIDE)
    beats = False
    sizes: VoiceDecoderConfig
    mean: Tensor  # (N,) of the logarithm of densities, in the training data
    basis: Tensor  # (V - ENVELOPE, N) what each number of the envelope adds to it
    order: Tensor  # (H,) 1, 2, ...
    bands: Tensor  # (N, F)
    weights: Tensor  # (N,) of bands for intelligibility
    overlaps: Tensor  # (N, N) inner products of the bands

    def __init__(self, config: CodecConfig):
        super().__init__()
        assert isinstance(config.decoder, VoiceDecoderConfig) and ENVELOPE == VOICE_NUMBERS
        self.config, self.sizes = config, config.decoder
        sizes = self.sizes
        self.lead = config.window // 2 // config.hop
        self.event_frames = self.lead + 2 * sizes.slope_frames + self.lead
        self.highest_octave = math.log2(sizes.highest_pitch / sizes.lowest_pitch)
        n_envelope, n_bands = config.vector_size - ENVELOPE, sizes.bands
        # fitted in closed form, never by steps
        self.mean = nn.Parameter(torch.zeros(n_bands), requires_grad=False)
        self.basis = nn.Parameter(torch.eye(n_envelope, n_bands), requires_grad=False)
        pace = torch.ones(config.vector_size)
        pace[[PITCH, GLIDE]] = PITCH_PACE
        bands = mel_bands(n_bands, config.n_bins, config.samplerate)
        self.register_buffer("pace", pace, persistent=False)
        self.register_buffer("weights", band_weights(n_bands, config.samplerate), persistent=False)
        self.register_buffer("order", torch.arange(1, sizes.harmonics + 1.0), persistent=False)
        self.register_buffer("bands", bands, persistent=False)
        self.register_buffer("overlaps", bands @ bands.T, persistent=False)
        self.noise = NoiseBands(bands)

    # ---- what a vector means

    def speaking(self, vectors: Tensor) -> Speaking:
        """Read vectors (E, V) in [-1, 1]."""
        sizes, unit = self.sizes, vectors[:, :ENVELOPE] / 2 + 0.5
        place = torch.linspace(0, 1, sizes.bands, device=vectors.device)
        border = unit[:, VOICING, None] * (1 + 2 * BORDER) - BORDER
        slope = sizes.slope_frames - 1
        return Speaking(
            octave=unit[:, PITCH] * self.highest_octave,
            glide=vectors[:, GLIDE] * sizes.glide * self.config.hop / self.config.samplerate,
            periodic=torch.sigmoid(SHARPNESS * (border - place)),
            rise=1 + slope * unit[:, RISE],
            fall=1 + slope * unit[:, FALL],
            density=torch.exp(self.log_density(vectors)),
        )

    def log_density(self, vectors: Tensor) -> Tensor:
        """Return the logarithm (E, N) of the densities that vectors name."""
        return self.mean + vectors[:, ENVELOPE:] @ self.basis

    # With the weights, the rows of the basis are orthogonal to each other and to the level of all
    # bands alike, which is the gain's.
    def envelope_numbers(self, envelope: Tensor) -> Tensor:
        """Return the numbers (E, V - ENVELOPE) in [-1, 1] of the shape of envelopes (E, N), the
        logarithm of densities at any level.
        """
        shape = (envelope - self.mean) * self.weights
        axes = self.basis * self.weights
        return (shape @ axes.T / axes.pow(2).sum(1).clamp(min=1e-12)).clamp(-1, 1)

    def frequencies(self, speaking: Speaking, age: Tensor) -> Tensor:
        """Return the pitch (E, L) in Hz at ages (E, L), in frames after the onset."""
        since = torch.minimum(
            (age - speaking.rise[:, None]).clamp(min=-10.0), speaking.fall[:, None]
        )
        since = torch.maximum(since, -speaking.rise[:, None])
        octave = speaking.octave[:, None] + speaking.glide[:, None] * since
        return self.sizes.lowest_pitch * 2**octave

    # Pulses of pitch f with the variance density d^2 have harmonics of amplitude a with
    # a^2 / 4 = d^2 f / samplerate: each carries the variance of the stretch f that is its own, half
    # of it at its negative frequency. A sinusoid of amplitude a shows as a W / 4 in a spectrogram
    # with a Hann window of length W, and noise of density d as d sqrt(pi / 4 * 3/8 W) on average.
    def levels(self, speaking: Speaking, pitch: Tensor) -> Tensor:
        """Return the magnitudes (E, P) of all parts at their peak, at pitches (E,) in Hz."""
        window, rate = self.config.window, self.config.samplerate
        at = self.order * pitch[:, None]
        tones = speaking.density * speaking.periodic.sqrt()
        tones = self._between_bands(tones, at) * (at < 0.49 * rate)
        tones = tones * (2 * window / 4) * (pitch[:, None] / rate).sqrt()
        hiss = speaking.density * (1 - speaking.periodic).sqrt()
        return torch.cat([tones, hiss * math.sqrt(math.pi / 4 * 0.375 * window)], 1)

    def _between_bands(self, values: Tensor, at: Tensor) -> Tensor:
        """Interpolate values (E, N) at the bands' centres to frequencies (E, H) in Hz."""
        mel = torch.log10(1 + at / 700) / math.log10(1 + self.config.samplerate / 2 / 700)
        place = (mel * (self.sizes.bands + 1) - 1).clamp(0, self.sizes.bands - 1.001)
        below = place.floor()
        i = below.long()
        return torch.lerp(values.gather(1, i), values.gather(1, i + 1), place - below)

    # ---- as a spectrogram

    # The window of a frame sees the mean of a triangle under it. With s2 the second integral of the
    # window, which is scaled to the integral 1, that of a slope 1 from time a on is s2(t - a): a
    # triangle is three slopes, which begin at onset, peak and end.
    def seen(self, speaking: Speaking, age: Tensor) -> Tensor:
        """Return how much of its peak an event has under the windows of frames of ages (E, L)."""
        rise, fall = speaking.rise[:, None], speaking.fall[:, None]
        up, top, down = (self._ramp(age - at) for at in (0.0, rise, rise + fall))
        return (up - top) / rise - (top - down) / fall

    def _ramp(self, age: Tensor) -> Tensor:
        """The mean under a window at ages in frames of a slope of 1 a frame from age 0 on."""
        width = self.config.window / self.config.hop
        r = (age / width).clamp(-0.5, 0.5)
        # the integral of r + 1/2 + sin(2 pi r) / (2 pi) from -1/2 on
        inside = 0.5 * (r + 0.5) ** 2 - (1 + torch.cos(2 * math.pi * r)) / (4 * math.pi**2)
        return width * inside + (age - 0.5 * width).clamp(min=0)

    def parts(self, vectors: Tensor, offsets: Tensor) -> tuple[Tensor, Tensor]:
        """Return bins of the harmonics (E, H, L) and levels of all parts (E, P, L), scaled to unit
        energy, of events with fine times (E,) in frames.
        """
        speaking, age = self.speaking(vectors), self._age(offsets)
        pitch = self.frequencies(speaking, age)
        bins = self.order[:, None] * pitch[:, None] * (self.config.window / self.config.samplerate)
        levels = self.unscaled(speaking, age)
        return bins.clamp(max=self.config.n_bins), levels / self._scale(levels)[:, None, None]

    def unscaled(self, speaking: Speaking, age: Tensor) -> Tensor:
        """Return the levels (E, P, L) of events of the densities that their vectors name."""
        peak = self.levels(speaking, self.sizes.lowest_pitch * 2**speaking.octave)
        return peak[:, :, None] * self.seen(speaking, age)[:, None]

    def norms(self, vectors: Tensor, offsets: Tensor) -> Tensor:
        """Return the gains (E,) at which events have the densities that their vectors name."""
        return self._scale(self.unscaled(self.speaking(vectors), self._age(offsets)))

    def _age(self, offsets: Tensor) -> Tensor:
        frames = torch.arange(self.event_frames, device=offsets.device)
        return frames[None] - self.lead - offsets[:, None]

    def _scale(self, levels: Tensor) -> Tensor:
        """Norm (E,) of the event's spectrogram, as if harmonics overlapped with nothing."""
        tones, hiss = levels.split([self.sizes.harmonics, self.sizes.bands], 1)
        noise = ((self.overlaps @ hiss) * hiss).sum((1, 2))
        return torch.sqrt(LOBE_ENERGY * tones.pow(2).sum((1, 2)) + noise + 1e-20)

    def spectrograms(self, vectors: Tensor, offsets: Tensor) -> Tensor:
        bins, levels = self.parts(vectors, offsets)
        return draw(levels, bins, Place(self.noise, len(vectors), self.event_frames))

    def scene(self, events: Events, n_frames: int) -> Tensor:
        batch, device, flat = len(events.gains), events.gains.device, events.flatten()
        bins, levels = self.parts(flat.vectors, flat.offsets)
        at = flat.frames[:, None] - self.lead + torch.arange(self.event_frames, device=device)
        inside = (at >= 0) & (at < n_frames)
        levels = levels * (flat.gains[:, None] * inside)[:, None]
        return draw(levels, bins, Place(self.noise, batch, n_frames, at.clamp(0, n_frames - 1)))

    # ---- as sound

    def render(self, vectors: Tensor, offsets: Tensor) -> Stages:
        speaking, scale = self.speaking(vectors), self.norms(vectors, offsets)
        resonance = self.synthesise(speaking, scale)
        excitation = self.synthesise(self._flat(speaking), scale)
        loudness = [sound.norm(dim=1, keepdim=True) for sound in (resonance, excitation)]
        excitation = excitation * (loudness[0] / loudness[1].clamp(min=1e-9))
        return Stages(excitation, resonance, resonance)

    def sound(self, vectors: Tensor, offsets: Tensor) -> Tensor:
        return self.synthesise(self.speaking(vectors), self.norms(vectors, offsets))

    def rounding(self) -> Rounding:
        """Round so that each number costs about as much, by ear: an envelope in equal steps of its
        logarithm, a pitch by half semitones.
        """
        octaves = self.highest_octave / 2  # of the pitch's number, for each 1 of it
        envelope = ENVELOPE_STEP / (self.basis * self.weights).norm(dim=1).clamp(min=ENVELOPE_STEP)
        frame = 2 / (self.sizes.slope_frames - 1)
        steps = [PITCH_STEP / octaves, GLIDE_STEP, VOICING_STEP, frame, frame, *envelope.tolist()]
        frames_a_second = self.config.samplerate / self.config.hop
        return Rounding(
            steps=(*steps, 1.0),
            spans=(RISE, FALL),
            longest=self.sizes.slope_frames,
            coarseness=COARSENESS,
            slopes=(PITCH, GLIDE),
            glide=octaves * frames_a_second / self.sizes.glide,
            mute=(VOICING, PITCH, GLIDE),
            muted=NOISY,
        )

    def mixing(self) -> Mixing:
        return Voices(self).take_up

    def _flat(self, speaking: Speaking) -> Speaking:
        """Return events with equal densities in all bands."""
        level = speaking.density.pow(2).mean(1, keepdim=True).sqrt()
        return Speaking(**{**vars(speaking), "density": level.expand_as(speaking.density)})

    def synthesise(self, speaking: Speaking, scale: Tensor, thread: Thread | None = None) -> Tensor:
        """Return the sound (E, T) of events over the scale (E,) of their spectrograms.

        thread: the voice that they take up, by default none.
        """
        thread = thread or Thread.loose(speaking)
        hop, rate, device = self.config.hop, self.config.samplerate, scale.device
        rise, fall = speaking.rise[:, None], speaking.fall[:, None]
        n_samples = math.ceil((rise + fall).max().item() * hop)
        age = (torch.arange(n_samples, device=device) / hop)[None]
        shape = torch.minimum(age / rise, 1 - (age - rise) / fall).clamp(min=0)
        peak = self.sizes.lowest_pitch * 2**speaking.octave
        levels = self.levels(speaking, peak) / scale[:, None]
        tones, hiss = levels.split([self.sizes.harmonics, self.sizes.bands], 1)
        turns = (self.sizes.lowest_pitch / rate) * 2 ** _octaves(speaking, thread, age).double()
        # by the trapezoidal rule, from the onset on
        phase = turns.cumsum(1) - (turns + turns[:, :1]) / 2 + thread.phase[:, None]
        audible = math.ceil(0.49 * rate / peak.min().item())
        waves = _harmonics(phase, tones[:, :audible] / (self.config.window / 4))
        return (waves + self._noise(hiss, thread, n_samples)) * shape

    def _noise(self, levels: Tensor, thread: Thread, n_samples: int) -> Tensor:
        """Return noise (E, T) with levels (E, N) in magnitudes, of the thread's stretch of the
        noise that all events share.
        """
        mean = math.sqrt(math.pi / 4 * 0.375 * self.config.window)
        size = SYNTHESIS_WINDOW
        bands = mel_bands(self.sizes.bands, size // 2 + 1, self.config.samplerate)
        response = torch.fft.irfft((levels / mean) @ bands.to(levels.device), size).roll(
            size // 2, 1
        )
        response = response * hann(size, levels.device)
        long = n_samples + size
        place = (thread.clock[:, None] + torch.arange(long, device=levels.device)) % NOISE_SAMPLES
        white = fixed_noise(NOISE_SAMPLES, seed=0).to(levels.device)[place]
        n = 1 << (long + size - 1).bit_length()
        filtered = torch.fft.irfft(torch.fft.rfft(white, n) * torch.fft.rfft(response, n), n)
        return filtered[:, size // 2 : size // 2 + n_samples]


@dataclass(frozen=True)
class Thread:
    """Where events take up the voice before them."""

    phase: Tensor  # (E,) float64, turns of the pitch at the onset
    octave: Tensor  # (E,) of the pitch at the onset
    clock: Tensor  # (E,) int64, sample of the noise at the onset

    @classmethod
    def loose(cls, speaking: Speaking) -> Thread:
        """Return the start of events that nothing goes before: their own pitch, phase 0."""
        zeros = torch.zeros_like(speaking.octave)
        octave = speaking.octave - speaking.glide * speaking.rise
        return cls(zeros.double(), octave, zeros.long())


@dataclass(frozen=True)
class Sung:
    """An event in the mix, of which another may take up the voice."""

    peak: float  # samples
    end: float  # samples
    octave: float  # at the peak
    slope: float  # octaves a sample, after the peak
    turns: float  # phase at the peak


class Voices:
    """Gives event after event the sound that goes on where the event before it is: its pitch starts
    at that one's, with that one's phase. Noise goes on too: it is cut from one long noise.

    Events of several voices may be mixed: each takes up the one, among those that sound at its
    onset and peak no later than it, whose pitch is nearest to its own.
    """

    def __init__(self, decoder: VoiceDecoder):
        self.decoder = decoder
        self.sung: list[Sung] = []

    def take_up(self, vectors: Tensor, offsets: Tensor, onset: int) -> Tensor:
        """Return the sound (1, T) of the next event, in the order of onsets."""
        decoder, hop = self.decoder, self.decoder.config.hop
        speaking = decoder.speaking(vectors)
        octave, rise, fall = (
            value.item() for value in (speaking.octave, speaking.rise, speaking.fall)
        )
        peak = onset + rise * hop
        self.sung = [each for each in self.sung if each.end > onset]
        leaders = [each for each in self.sung if each.peak <= peak]
        if leaders:
            leader = min(leaders, key=lambda each: abs(each.octave - octave))
            since = max(0.0, onset - leader.peak)
            begin = leader.octave + leader.slope * since
            ahead = min(0.0, onset - leader.peak)  # it may peak a little after this onset
            turns = leader.turns + self._turns(leader.octave, begin, since + ahead)
        else:
            begin, turns = octave - speaking.glide.item() * rise, 0.0
        at_peak = turns + self._turns(begin, octave, rise * hop)
        slope = speaking.glide.item() / hop
        self.sung.append(Sung(peak, peak + fall * hop, octave, slope, at_peak % 1.0))
        thread = Thread(
            offsets.new_full((1,), turns % 1.0, dtype=torch.double),
            offsets.new_full((1,), begin),
            offsets.new_full((1,), onset % NOISE_SAMPLES, dtype=torch.long),
        )
        return decoder.synthesise(speaking, decoder.norms(vectors, offsets), thread)

    # The integral of 2^(a + s t) over t is its growth over s ln 2.
    def _turns(self, first: float, last: float, n_samples: float) -> float:
        """Return the turns of a pitch that goes from one octave to another in n_samples."""
        lowest, rate = self.decoder.sizes.lowest_pitch, self.decoder.config.samplerate
        if abs(last - first) < 1e-6:
            mean = 2.0**first
        else:
            mean = (2.0**last - 2.0**first) / ((last - first) * math.log(2))
        return lowest / rate * mean * n_samples


def _octaves(speaking: Speaking, thread: Thread, age: Tensor) -> Tensor:
    """Return the pitch (E, T) in octaves at ages (1, T) in frames: it goes from that of the thread
    to the event's own while it rises, and glides on while it falls.
    """
    rise, own = speaking.rise[:, None], speaking.octave[:, None]
    up = torch.lerp(own, thread.octave[:, None], (1 - age / rise).clamp(0, 1))
    return up + speaking.glide[:, None] * (age - rise).clamp(min=0)


def band_weights(n_bands: int, samplerate: int) -> Tensor:
    """Return how much each mel band (N,) counts where envelopes are compared: those that words need
    most, up to about 5 kHz, count 1, the highest LEAST_WEIGHT.
    """
    mel = torch.arange(1, n_bands + 1) / (n_bands + 1)
    frequency = 700 * ((1 + samplerate / 2 / 700) ** mel - 1)
    return LEAST_WEIGHT + (1 - LEAST_WEIGHT) / (1 + (frequency / WORDS_BELOW) ** 4)


# sin(h x) + sin((h - 2) x) = 2 cos(x) sin((h - 1) x), so the sum of a_h sin(h x) is b_1 sin(x) with
# b_h = a_h + 2 cos(x) b_(h + 1) - b_(h + 2).
# Source: Clenshaw 1955, A note on the summation of Chebyshev series, Math. Tables 9.
def _harmonics(phase: Tensor, amplitude: Tensor) -> Tensor:
    """Return the sum (E, T) of sines at multiples of phases (E, T), float64 in turns, with
    amplitudes (E, H).
    """
    angle = 2 * math.pi * (phase - phase.round())
    double_cosine = 2 * angle.cos()
    one_later, two_later = torch.zeros_like(angle), torch.zeros_like(angle)
    for level in amplitude.double().flip(1).unbind(1):
        one_later, two_later = level[:, None] + double_cosine * one_later - two_later, one_later
    return (one_later * angle.sin()).float()
