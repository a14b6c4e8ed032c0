"""Audio of one voice -> events: knots are placed where the voice bends, and an event peaks at each.

Shapes: T frames, N events, V vector size, B mel bands.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import nn

from sparse_codec.config import CodecConfig, EncodeOptions, VoiceEncoderConfig
from sparse_codec.model.events import Events
from sparse_codec.model.knots import Polylines, heights
from sparse_codec.model.voice_analysis import Voice, analyse
from sparse_codec.model.voice_decoder import (
    BORDER,
    ENVELOPE,
    FALL,
    GLIDE,
    PITCH,
    RISE,
    VOICING,
    VoiceDecoder,
)

SILENCE = math.log(1e-6)  # an envelope below it is no sound: 120 dB below full scale
CONTEXT = 16  # frames ahead of a segment that are analysed with it


class VoiceEncoder(nn.Module):
    """Follows one voice, segment by segment."""

    def __init__(self, config: CodecConfig, decoder: VoiceDecoder):
        super().__init__()
        assert isinstance(config.encoder, VoiceEncoderConfig)
        self.config, self.sizes = config, config.encoder
        self.decoders = [decoder]  # in a list, so that its weights are not the encoder's too

    @property
    def decoder(self) -> VoiceDecoder:
        return self.decoders[0]

    def follower(self, options: EncodeOptions) -> Follower:
        """Return what encodes the segments of a clip, one after the other."""
        return Follower(self, options.n_events or self.config.n_events)

    def analyse(self, audio: np.ndarray) -> Voice:
        """Return the voice in a segment, from audio that starts CONTEXT frames ahead of it."""
        config, sizes = self.config, self.decoder.sizes
        centres = np.arange(len(audio) // config.hop) * config.hop
        pitches = (sizes.lowest_pitch, sizes.highest_pitch)
        voice = analyse(audio, centres, sizes.bands, pitches, config.samplerate)
        return Voice(*(values[CONTEXT:] for values in vars(voice).values()))

    def place(self, voice: Voice, knots: np.ndarray, most: int) -> np.ndarray:
        """Return the frames of knots that start with the given ones, of which at most `most` lie in
        the first half; more, if the longest slopes need more.
        """
        weights = self.sizes.voicing_weight, self.sizes.pitch_weight
        others = np.stack([weights[0] * voice.voicing, weights[1] * np.log2(voice.pitch)], 1)
        curve = np.concatenate([voice.envelope, others], 1)[knots[-1] :]
        lines = Polylines(curve, self.decoder.sizes.slope_frames)
        placed = knots
        for n_segments in range(lines.cheapest(self.sizes.price), lines.fewest - 1, -1):
            placed = np.concatenate([knots[:-1], knots[-1] + lines.knots(n_segments)])
            if (placed[:-2] < self.config.half_frames).sum() <= most:
                break
        return placed

    def describe(self, voice: Voice, knots: np.ndarray, faintest: float, most: int) -> Events:
        """Return the events between knots (N + 2,).

        Those whose envelope stays below `faintest`, a logarithm of amplitude, have no gain, and of
        more than `most` only the strongest have one.
        """
        decoder, config = self.decoder, self.config
        onsets, peaks, ends = knots[:-2], knots[1:-1], knots[2:]
        sizes, n_events = decoder.sizes, len(peaks)
        vectors = torch.zeros(1, n_events, config.vector_size)
        if not n_events:
            return Events.zeros(1, 0, config.vector_size, vectors.device)
        octave = np.log2(voice.pitch / sizes.lowest_pitch).clip(0, decoder.highest_octave)
        seconds = (ends - peaks) * config.hop / config.samplerate
        glide = (octave[ends] - octave[peaks]) / seconds / sizes.glide
        slope = sizes.slope_frames - 1
        numbers = np.zeros((n_events, ENVELOPE))
        numbers[:, PITCH] = 2 * octave[peaks] / decoder.highest_octave - 1
        numbers[:, GLIDE] = glide
        voicing = heights(voice.voicing[:, None], knots)[1:-1, 0]
        numbers[:, VOICING] = 2 * (voicing.clip(0, 1) + BORDER) / (1 + 2 * BORDER) - 1
        numbers[:, RISE] = 2 * (peaks - onsets - 1) / slope - 1
        numbers[:, FALL] = 2 * (ends - peaks - 1) / slope - 1
        vectors[0, :, :ENVELOPE] = torch.from_numpy(numbers).float().clamp(-1, 1)
        envelope = torch.from_numpy(heights(voice.envelope, knots)[1:-1]).float()
        vectors[0, :, ENVELOPE:] = decoder.envelope_numbers(envelope)
        offsets = torch.zeros(n_events)
        # the vector says the shape of the envelope, the gain its level
        squares = decoder.weights.pow(2)
        level = (envelope - decoder.log_density(vectors[0])) @ squares / squares.sum()
        gains = decoder.norms(vectors[0], offsets) * torch.exp(level)
        gains[torch.from_numpy(voice.envelope[peaks].max(1) < faintest)] = 0
        gains[gains.argsort(descending=True, stable=True)[most:]] = 0
        return Events(vectors, torch.from_numpy(onsets)[None], offsets[None], gains[None])


class Follower:
    """Encodes segments (segment_samples,) that overlap by half, one after the other.

    It keeps the end of the audio before a segment, how loud the clip was so far, and the knots that
    are already set: the onset and the peak of the next event, in frames of the next segment.
    """

    def __init__(self, encoder: VoiceEncoder, most: int):
        self.encoder, self.most = encoder, most  # events of a half segment
        self.past = np.zeros(CONTEXT * encoder.config.hop, np.float32)
        self.loudest = SILENCE
        self.knots = np.zeros(1, np.int64)

    def encode(self, segment: np.ndarray) -> Events:
        """Return the events that start in the first half of the next segment."""
        encoder, config = self.encoder, self.encoder.config
        half, middle = config.half_frames, config.segment_samples // 2
        voice = encoder.analyse(np.concatenate([self.past, segment]))
        self.loudest = max(self.loudest, float(voice.envelope.max()))
        faintest = max(SILENCE, self.loudest + encoder.sizes.faintest * math.log(10) / 20)
        # few events follow no voice: then they are the strongest of those that nearly do
        knots = encoder.place(voice, self.knots, max(self.most, config.n_events // 2))
        n_events = int((knots[:-2] < half).sum())
        self.past = segment[middle - len(self.past) : middle]
        self.knots = knots[n_events : n_events + 2] - half
        return encoder.describe(voice, knots[: n_events + 2], faintest, self.most)
