"""The sparse event codec: audio -> events -> audio, window by window, and its checkpoint files.

Shapes: B segments, F bins, T frames of a segment or samples of a clip, N events, V vector size.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save as save_tensors
from torch import Tensor, nn

from sparse_codec.audio.blocks import check_audio, cut_segments, mix_down, resample
from sparse_codec.checkpoint import FORMAT, CheckpointError, find_checkpoint, read_checkpoint
from sparse_codec.config import (
    CodecConfig,
    ConfigError,
    EncodeOptions,
    HarmonicDecoderConfig,
    RecurrentDecoderConfig,
    config_tables,
    parse_config,
)
from sparse_codec.events import EventSet, join, kind_in_words
from sparse_codec.model.decoder import HarmonicDecoder
from sparse_codec.model.encoder import FrameEncoder, HarmonicEncoder
from sparse_codec.model.greedy import Decomposition, GreedyLoop
from sparse_codec.model.recurrent_decoder import RecurrentDecoder
from sparse_codec.model.resonance_decoder import ResonanceDecoder
from sparse_codec.model.spectrogram import magnitudes
from sparse_codec.outputs import partial_file


class SparseCodec(nn.Module):
    """Encoder and decoder of one configuration."""

    def __init__(self, config: CodecConfig):
        super().__init__()
        self.config = config
        self.card: dict = {}  # facts about the training, from the checkpoint
        self._digest = ""
        if isinstance(config.decoder, HarmonicDecoderConfig):
            recurrent = isinstance(config.decoder, RecurrentDecoderConfig)
            self.decoder = RecurrentDecoder(config) if recurrent else HarmonicDecoder(config)
            self.encoder = HarmonicEncoder(config, self.decoder)
        else:
            self.decoder = ResonanceDecoder(config)
            self.encoder = FrameEncoder(config)

    @property
    def digest(self) -> str:
        """SHA-256 of the checkpoint file that this codec was loaded from.

        Raises: CheckpointError if it was not loaded from one: save it first.
        """
        if not self._digest:
            raise CheckpointError(
                "this codec has no digest because it is in no file; save it and load it again"
            )
        return self._digest

    # ---- audio -> events

    def encode(
        self,
        audio: np.ndarray,
        samplerate: int | None = None,
        options: EncodeOptions | None = None,
        progress: Callable | None = None,
    ) -> EventSet:
        """Events of audio (T,) or (T, channels) of any length: floats, of which 1.0 is full scale.

        Channels are mixed down to their mean. samplerate: of the audio in Hz, by default the codec's own.
        `progress` wraps the windows, as tqdm does. Raises: ValueError for audio without samples, with NaN or
        infinity, or of another type or shape, and for a samplerate that is none.
        """
        mono = mix_down(check_audio(audio))
        rate = self.samplerate if samplerate is None else samplerate
        mono = np.concatenate(list(resample([mono], rate, self.samplerate)))
        windows = self.stream([mono], options)
        if progress:
            windows = progress(windows, total=self.n_windows(len(mono)))
        return join(list(windows))

    def stream(
        self, blocks: Iterable[np.ndarray], options: EncodeOptions | None = None
    ) -> Iterator[EventSet]:
        """Encode blocks of audio at the codec's samplerate as they come; how they are cut changes nothing.

        Yields the events of one window after another, each at their places in the clip, of which `n_samples` have
        then been encoded: windows slide by half a segment, so the first comes after a whole one. What the events of
        one window leave sounding in the next is taken off before that one is encoded. Memory does not grow with the
        clip. Raises: ValueError as `encode`.
        """
        config = self.config
        tail = torch.zeros(1, config.n_bins, config.half_frames, device=self.device)
        checked = (mix_down(check_audio(block)) for block in blocks)
        for w, (segment, n_samples) in enumerate(cut_segments(checked, config.segment_samples)):
            original = self.magnitudes(torch.from_numpy(segment)[None])
            original[:, :, : config.half_frames] -= tail
            found = self.decompose(original, options)
            tail = (found.original - found.residual)[..., config.half_frames :]
            yield self.event_set(found, n_samples, first_frame=w * config.half_frames)

    def encode_segment(self, audio: np.ndarray, options: EncodeOptions | None = None) -> EventSet:
        """Events in the first half of one segment of audio (T,), which is padded with zeros to a segment.

        Raises: ValueError as `encode`, and for audio that is longer than a segment.
        """
        if len(audio) > self.config.segment_samples:
            raise ValueError(
                f"{len(audio)} samples are more than a segment of {self.config.segment_samples}; use encode()"
            )
        first = next(self.stream([audio], options))
        return dataclasses.replace(first, n_samples=len(audio))

    def n_windows(self, n_samples: int) -> int:
        """Windows that cover so many samples: one for every half segment that is begun."""
        return max(1, -(-n_samples // (self.config.segment_samples // 2)))

    # ---- events -> audio

    def decode(self, events: EventSet) -> np.ndarray:
        """Sound (n_samples,) float32 of an event set: the sum of its events, each at its onset."""
        return np.concatenate(list(self.play(events.split(self.config.half_frames))))

    def play(self, windows: Iterable[EventSet]) -> Iterator[np.ndarray]:
        """The sound of event sets that follow each other in time, as `stream` yields them, block by block.

        Put together the blocks are what `decode` makes of all the events. Memory does not grow with the clip.
        """
        sounding, start, n_samples = np.zeros(0, np.float32), 0, 0
        for events in windows:
            sounding, n_samples = (
                self._add(sounding, start, events.in_time_order()),
                events.n_samples,
            )
            final = max(
                0, n_samples - events.hop - start
            )  # the next may start a little ahead of its window
            yield sounding[:final]
            sounding, start = sounding[final:], start + len(sounding[:final])
        yield sounding[: n_samples - start]

    def _add(self, sounding: np.ndarray, start: int, events: EventSet) -> np.ndarray:
        """Sound from sample `start` on, with events added; at least up to the end of their clip."""
        events = events.select(events.onsets < events.n_samples)
        for onset, sound in zip(events.onsets - start, self.render(events), strict=True):
            missing = onset + len(sound) - len(sounding)
            sounding = np.pad(sounding, (0, max(0, missing)))
            sounding[onset : onset + len(sound)] += sound
        return np.pad(sounding, (0, max(0, events.n_samples - start - len(sounding))))

    def render(self, events: EventSet) -> Iterator[np.ndarray]:
        """The sound (T,) float32 of each event at its gain, from its onset on.

        Raises: ValueError for events of another codec, as `check_events`.
        """
        for stages in self.render_stages(events):
            yield stages["room"]

    @torch.no_grad()
    def render_stages(self, events: EventSet) -> Iterator[dict[str, np.ndarray]]:
        """For each event the sound after each of the decoder's stages, at its gain.

        One at a time: in a batch the last bits of an event would depend on its neighbours.
        """
        self.check_events(events)
        for vector, offset, gain in zip(events.vectors, events.offsets, events.gains, strict=True):
            stages = self.decoder.render(
                *(torch.from_numpy(x).to(self.device) for x in (vector[None], offset[None]))
            )
            sounds = {
                "excitation": stages.excitation,
                "resonance": stages.resonance,
                "room": stages.room,
            }
            yield {name: gain * sound[0].cpu().numpy() for name, sound in sounds.items()}

    def check_events(self, events: EventSet) -> None:
        """Raises: ValueError for events of another samplerate, hop or vector size than this codec's."""
        ours = (self.config.samplerate, self.config.hop, self.config.vector_size)
        if events.kind != ours:
            told = (
                f"events of {kind_in_words(events.kind)}, but this codec has {kind_in_words(ours)}"
            )
            raise ValueError(f"{told}: decode them with the codec that made them")

    @torch.no_grad()
    def scene(self, events: EventSet, n_frames: int) -> Tensor:
        """The events' spectrograms, added up: magnitudes (F, n_frames)."""
        values = (
            torch.from_numpy(x)[None]
            for x in (events.vectors, events.offsets, events.frames, events.gains)
        )
        return self.decoder.scene(*(x.to(self.device) for x in values), n_frames)[0]

    def peel(self, original: Tensor, events: EventSet) -> Iterator[Tensor]:
        """What is left of magnitudes (F, T) before the first event and after each, taken off in order."""
        left = original
        yield left
        for i in range(len(events)):
            left = left - self.scene(events.select([i]), original.shape[1])
            yield left

    def event_set(self, found: Decomposition, n_samples: int, first_frame: int = 0) -> EventSet:
        """The events found in the only segment of a batch; those whose gain came to zero are left out."""
        kept = found.gains[0] > 0
        return EventSet(
            vectors=found.vectors[0, kept].cpu().numpy(),
            frames=found.frames[0, kept].cpu().numpy() + first_frame,
            offsets=found.offsets[0, kept].cpu().numpy(),
            gains=found.gains[0, kept].cpu().numpy(),
            n_samples=n_samples,
            samplerate=self.config.samplerate,
            hop=self.config.hop,
        )

    def magnitudes(self, audio: Tensor) -> Tensor:
        """Magnitude spectrograms (B, F, T) of segments (B, segment_samples), in this codec's own transform."""
        return magnitudes(audio.to(self.device), self.config.window, self.config.hop)

    @property
    def samplerate(self) -> int:
        """In Hz, of all sound that goes in and comes out."""
        return self.config.samplerate

    @property
    def device(self) -> torch.device:
        return next(self.parameters()).device

    @torch.no_grad()
    def decompose(self, original: Tensor, options: EncodeOptions | None = None) -> Decomposition:
        """Take magnitude spectrograms (B, F, T) apart, event by event."""
        loop = GreedyLoop(self.config, self.encoder, self.decoder, options or self.config.encode)
        return loop.decompose(original)

    # ---- files

    def save(self, path: str | Path, card: dict | None = None) -> None:
        """Write weights, configuration and `card` (facts about the training) as one safetensors file.

        Raises: OutputError.
        """
        facts = {
            "format": FORMAT,
            "config": json.dumps(config_tables(self.config)),
            "card": json.dumps(card or {}),
        }
        with partial_file(path) as partial:
            partial.write_bytes(
                save_tensors(
                    {k: v.contiguous().cpu() for k, v in self.state_dict().items()}, metadata=facts
                )
            )

    @classmethod
    def load(cls, path: str | Path) -> SparseCodec:
        """Read a checkpoint: a file, or the name of one that is shipped ("music").

        Raises: CheckpointError for a file that is missing, damaged or of another format.
        """
        file = find_checkpoint(path)
        tensors, header, digest = read_checkpoint(file)
        try:
            codec = cls(parse_config(json.loads(header["config"]), str(file))[0])
            codec.load_state_dict(tensors)
            codec.card = json.loads(header["card"])
        except (ConfigError, RuntimeError, KeyError, ValueError) as error:
            raise CheckpointError(
                f"{file}: does not fit this version: {str(error).splitlines()[0]}"
            ) from error
        if not all(torch.isfinite(tensor).all() for tensor in tensors.values()):
            raise CheckpointError(f"{file}: holds weights that are not finite; train it again")
        codec._digest = digest
        return codec.eval()
