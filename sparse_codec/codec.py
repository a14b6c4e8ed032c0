"""The sparse event codec: audio -> events -> audio, window by window, and its checkpoint files.

Shapes: B segments, F bins, T frames of a segment or samples of a clip, N events, V vector size.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save as save_tensors
from torch import Tensor, nn

from sparse_codec.audio.blocks import check_audio, cut_segments, mix_down, resample
from sparse_codec.checkpoint import (
    FORMAT,
    CheckpointError,
    config_of,
    find_checkpoint,
    misfit,
    read_checkpoint,
)
from sparse_codec.config import (
    CodecConfig,
    ConfigError,
    EncodeOptions,
    HarmonicDecoderConfig,
    RecurrentDecoderConfig,
    VoiceDecoderConfig,
    config_tables,
)
from sparse_codec.events import EventSet, join
from sparse_codec.model.consistent import STEPS, Projection, RunningSum, Synthesis
from sparse_codec.model.decoder import Decoder, Mixing, Stages
from sparse_codec.model.encoder import Encoder, FrameEncoder, HarmonicEncoder
from sparse_codec.model.events import Events
from sparse_codec.model.greedy import GreedyLoop, GreedyState
from sparse_codec.model.harmonic_decoder import HarmonicDecoder
from sparse_codec.model.recurrent_decoder import RecurrentDecoder
from sparse_codec.model.resonance_decoder import ResonanceDecoder
from sparse_codec.model.spectrogram import magnitudes
from sparse_codec.model.threads import denormals_flushed
from sparse_codec.model.voice_decoder import VoiceDecoder
from sparse_codec.model.voice_encoder import VoiceEncoder
from sparse_codec.outputs import partial_file


@dataclasses.dataclass(frozen=True)
class Part:
    """What one event adds to the sound of all."""

    start: int  # the sample of the clip that it begins at
    sound: np.ndarray  # (T,) float32


def _heard(events: EventSet) -> EventSet:
    """Return the events that start within the clip, in the order of their frames."""
    return events.select(events.onsets < events.n_samples).in_time_order()


class SparseCodec(nn.Module):
    """Encoder and decoder of one configuration."""

    decoder: Decoder
    encoder: Encoder | VoiceEncoder

    def __init__(self, config: CodecConfig):
        super().__init__()
        self.config = config
        self.card: dict[str, Any] = {}  # facts about the training, from the checkpoint
        self.steps = STEPS  # that make the sound of overlapping events consistent
        self._digest = ""
        if isinstance(config.decoder, VoiceDecoderConfig):
            voice = VoiceDecoder(config)
            self.decoder, self.encoder = voice, VoiceEncoder(config, voice)
        elif isinstance(config.decoder, HarmonicDecoderConfig):
            recurrent = isinstance(config.decoder, RecurrentDecoderConfig)
            decoder = RecurrentDecoder(config) if recurrent else HarmonicDecoder(config)
            self.decoder, self.encoder = decoder, HarmonicEncoder(config, decoder)
        else:
            self.decoder, self.encoder = ResonanceDecoder(config), FrameEncoder(config)

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
        progress: Callable[..., Iterable[EventSet]] | None = None,
    ) -> EventSet:
        """Return the events of audio (T,) or (T, channels) of any length, floats up to 1.0.

        Channels are mixed down to their mean. samplerate: of the audio in Hz, by default the
        codec's own. `progress` wraps the windows, as tqdm does. Raises: ValueError for audio
        without samples, with NaN or infinity, or of another type or shape, and for an impossible
        samplerate.
        """
        (mono,) = mix_down([check_audio(audio)])
        rate = self.samplerate if samplerate is None else samplerate
        mono = np.concatenate(list(resample([mono], rate, self.samplerate)))
        windows: Iterable[EventSet] = self.stream([mono], options)
        if progress:
            windows = progress(windows, total=self.n_windows(len(mono)))
        return join(list(windows))

    def stream(
        self, blocks: Iterable[np.ndarray], options: EncodeOptions | None = None
    ) -> Iterator[EventSet]:
        """Encode blocks of audio at the codec's samplerate as they come; their sizes do not matter.

        Yields the events of one window after another, each at their places in the clip, of which
        `n_samples` have then been encoded: windows slide by half a segment, so the first comes
        after a whole one. The events of one window sound on into the next; this is taken off
        before that one is encoded. Memory does not grow with the clip. Raises: ValueError as
        `encode`.
        """
        config = self.config
        checked = mix_down(map(check_audio, blocks))
        encode = self._following(options) if self.follows else self._matching(options)
        for w, (segment, n_samples) in enumerate(cut_segments(checked, config.segment_samples)):
            yield self.event_set(encode(segment), n_samples, first_frame=w * config.half_frames)

    @property
    def follows(self) -> bool:
        """Whether events are read off the audio of one voice, not matched with magnitudes."""
        return isinstance(self.encoder, VoiceEncoder)

    def _matching(self, options: EncodeOptions | None) -> Callable[[np.ndarray], Events]:
        """Return what encodes one segment (T,) after the other by the greedy loop."""
        half = self.config.half_frames
        tail = torch.zeros(1, self.config.n_bins, half, device=self.device)

        def encode(segment: np.ndarray) -> Events:
            nonlocal tail
            original = self.magnitudes(torch.from_numpy(segment)[None])
            original[:, :, :half] -= tail
            state = self.decompose(original, options)
            tail = (state.original - state.residual)[..., half:]
            return state.events

        return encode

    def _following(self, options: EncodeOptions | None) -> Callable[[np.ndarray], Events]:
        """Return what encodes one segment (T,) after the other by following the voice in it."""
        assert isinstance(self.encoder, VoiceEncoder)
        follower = self.encoder.follower(options or self.config.encode)
        return follower.encode

    def encode_segment(self, audio: np.ndarray, options: EncodeOptions | None = None) -> EventSet:
        """Return the events in the first half of one segment of audio (T,), padded with zeros.

        Raises: ValueError as `encode`, and for audio that is longer than a segment.
        """
        if len(audio) > self.config.segment_samples:
            raise ValueError(
                f"{len(audio)} samples are more than a segment of {self.config.segment_samples};"
                " use encode()"
            )
        first = next(self.stream([audio], options))
        return dataclasses.replace(first, n_samples=len(audio))

    def n_windows(self, n_samples: int) -> int:
        """Return how many windows cover n_samples: one for every half segment that is begun."""
        return max(1, -(-n_samples // (self.config.segment_samples // 2)))

    # ---- events -> audio

    def decode(self, events: EventSet, consistent: bool | None = None) -> np.ndarray:
        """Return the sound (n_samples,) float32 of all events, each at its onset.

        consistent: the sound has the spectrogram that the events' spectrograms add up to, see
        `sparse_codec.model.consistent`. Otherwise the sound is the sum of those that `render`
        yields, whose partials beat where events overlap; in the sum of a voice's events each takes
        up the voice where the event before it is, see `sparse_codec.model.voice_decoder`. By
        default it is what suits the decoder: the sum for a voice, else the first. So the sound of
        two event sets together is not the sum of their sounds; `parts` splits it into events.
        """
        blocks = self.play(events.split(self.config.half_frames), consistent)
        return np.concatenate(list(blocks))

    def play(
        self, windows: Iterable[EventSet], consistent: bool | None = None
    ) -> Iterator[np.ndarray]:
        """Yield the sound of event sets that follow each other, as `stream` yields them.

        The blocks join to the sound that `decode` makes of all the events. Memory does not grow
        with the clip.
        """
        consistent = self.decoder.beats if consistent is None else consistent
        return self._play_consistent(windows) if consistent else self._play_sum(windows)

    def _play_sum(self, windows: Iterable[EventSet]) -> Iterator[np.ndarray]:
        total, n_samples, mixing = RunningSum(0), 0, self.decoder.mixing()
        for events in windows:
            heard, n_samples = _heard(events), events.n_samples
            for onset, sound in zip(heard.onsets, self._mixed(heard, mixing), strict=True):
                total.add(onset, sound)
            # an event of the next window may start up to half a hop ahead of it
            final = max(total.start, n_samples - events.hop)
            yield total.between(total.start, final)
            total.forget(final)
        yield total.between(total.start, n_samples)

    def _play_consistent(self, windows: Iterable[EventSet]) -> Iterator[np.ndarray]:
        projection, synthesis, n_samples = self._projection(), Synthesis(self.config), 0
        for events in windows:
            n_samples = events.n_samples
            self._add(projection, _heard(events))
            yield from map(synthesis.add, projection.ready(n_samples // events.hop))
        yield np.zeros(0, np.float32)  # without windows there is a sound too
        while synthesis.end < n_samples:
            left = n_samples - synthesis.end
            yield synthesis.add(projection.take())[:left]

    def _projection(self) -> Projection:
        return Projection(self.config, self.steps)

    def _add(self, projection: Projection, events: EventSet) -> None:
        """Add events to the sums that are projected."""
        places = zip(events.frames.tolist(), events.onsets.tolist(), strict=True)
        decoded = self._one_by_one(events, self.decoder.sound_and_spectrograms)
        for (frame, onset), (sound, shown) in zip(places, decoded, strict=True):
            projection.add(frame, shown, onset, sound)

    def parts(self, events: EventSet) -> Iterator[Part]:
        """Yield the part of each event in the sound that `decode` makes of all, in their order.

        The parts add up to that sound. An event's part has the event's own magnitudes and the
        phases of the whole, so it can have holes where louder ones lie over it, and it is not what
        `render` yields: the event as it sounds alone. It begins half a hop ahead of the onset. An
        event that starts after the clip's end has an empty part.
        """
        if not self.decoder.beats:
            yield from self._mixed_parts(events)
            return
        projection, blocks = self._projection(), []
        self._add(projection, _heard(events))
        transform = projection.transform
        while transform.first_sample(projection.next) < events.n_samples:
            blocks.append(projection.take().phases)
        phases = torch.cat(blocks)
        places = zip(events.frames.tolist(), events.onsets.tolist(), strict=True)
        spectrograms = self._alone(events, self.decoder.spectrograms)
        for (frame, onset), shown in zip(places, spectrograms, strict=True):
            of_whole = phases[frame : frame + shown.shape[1]]
            if onset >= events.n_samples:
                yield Part(events.n_samples, np.zeros(0, np.float32))
                continue
            spectrum = torch.from_numpy(shown.T[: len(of_whole)]) * of_whole
            sound = transform.synthesise(spectrum)
            early = transform.early(frame, onset)
            sound[: len(early)] *= 1 - early
            start, begin = transform.first_sample(frame), max(0, onset - events.hop // 2)
            yield Part(begin, sound[begin - start : events.n_samples - start].numpy())

    def _mixed_parts(self, events: EventSet) -> Iterator[Part]:
        """Yield the parts of a sound that is the plain sum of events in the mix."""
        order = np.argsort(events.frames, kind="stable")
        order = order[events.onsets[order] < events.n_samples]
        sounds: list[np.ndarray] = [np.zeros(0, np.float32)] * len(events)
        for i, sound in zip(
            order, self._mixed(events.select(order), self.decoder.mixing()), strict=True
        ):
            sounds[i] = sound
        for onset, sound in zip(events.onsets, sounds, strict=True):
            start = min(int(onset), events.n_samples)
            yield Part(start, sound[: events.n_samples - start])

    def _mixed(self, events: EventSet, mixing: Mixing) -> Iterator[np.ndarray]:
        """Yield the sound (T,) of each event in the mix, at its gain, in the order of time."""
        onsets = iter(events.onsets.tolist())
        return self._alone(events, lambda v, o: mixing(v, o, next(onsets)))

    def render(self, events: EventSet) -> Iterator[np.ndarray]:
        """Yield the sound (T,) float32 of each event at its gain, from its onset on: as it sounds
        alone, whatever the others are, and with none of its phases changed.

        Raises: ValueError for events of another codec, as `check_events`.
        """
        return self._alone(events, self.decoder.sound)

    def render_stages(self, events: EventSet) -> Iterator[dict[str, np.ndarray]]:
        """Yield for each event the sound after each of the decoder's stages, at its gain.

        Raises: ValueError as `render`.
        """
        names = [field.name for field in dataclasses.fields(Stages)]
        decoded = self._one_by_one(
            events, lambda v, o: tuple(vars(self.decoder.render(v, o)).values())
        )
        for stages in decoded:
            yield dict(zip(names, stages, strict=True))

    def _alone(
        self, events: EventSet, decode: Callable[[Tensor, Tensor], Tensor]
    ) -> Iterator[np.ndarray]:
        """Yield the array that a function makes of each event, as `_one_by_one`."""
        for (array,) in self._one_by_one(events, lambda v, o: (decode(v, o),)):
            yield array

    @torch.no_grad()
    def _one_by_one(
        self, events: EventSet, decode: Callable[[Tensor, Tensor], tuple[Tensor, ...]]
    ) -> Iterator[tuple[np.ndarray, ...]]:
        """Yield arrays that a function makes of the vector and fine time of each event, at its
        gain.

        In a batch the last bits of an event would depend on its neighbours.
        """
        self.check_events(events)
        tensors = Events.of(events, self.device)
        for i, gain in enumerate(events.gains):
            with denormals_flushed():
                decoded = decode(tensors.vectors[:, i], tensors.offsets[:, i])
            yield tuple(gain * part[0].cpu().numpy() for part in decoded)

    def check_events(self, events: EventSet) -> None:
        """Raise ValueError for events of another samplerate, hop or vector size than ours."""
        events.check_kind(self.config.kind)

    @torch.no_grad()
    @denormals_flushed()
    def scene(self, events: EventSet, n_frames: int) -> Tensor:
        """Return the sum of the events' spectrograms: magnitudes (F, n_frames)."""
        return self.decoder.scene(Events.of(events, self.device), n_frames)[0]

    def peel(self, original: Tensor, events: EventSet) -> Iterator[Tensor]:
        """Yield magnitudes (F, T), and what is left after each event is taken off, in order."""
        left = original
        yield left
        for i in range(len(events)):
            left = left - self.scene(events.select([i]), original.shape[1])
            yield left

    def event_set(self, events: Events, n_samples: int, first_frame: int = 0) -> EventSet:
        """Return the events of the only segment of a batch; those without gain are left out."""
        return events.event_set(n_samples, self.config.samplerate, self.config.hop, first_frame)

    def magnitudes(self, audio: Tensor) -> Tensor:
        """Return magnitudes (B, F, T) of segments (B, segment_samples), as the codec sees them."""
        return magnitudes(audio.to(self.device), self.config.window, self.config.hop)

    @property
    def samplerate(self) -> int:
        """The samplerate in Hz of all sound that goes in and comes out."""
        return self.config.samplerate

    @property
    def device(self) -> torch.device:
        return next(self.parameters()).device

    @torch.no_grad()
    @denormals_flushed()
    def decompose(self, original: Tensor, options: EncodeOptions | None = None) -> GreedyState:
        """Take magnitude spectrograms (B, F, T) apart, event by event.

        Raises: ValueError for a codec that follows a voice, which it cannot by magnitudes.
        """
        if isinstance(self.encoder, VoiceEncoder):
            raise ValueError(
                f"{self.config.name}: this codec follows a voice by its samples, not by magnitudes;"
                " use encode() or stream()"
            )
        loop = GreedyLoop(self.config, self.encoder, self.decoder, options or self.config.encode)
        return loop.decompose(original)

    # ---- files

    def save(self, path: str | Path, card: dict[str, Any] | None = None) -> None:
        """Write weights, configuration and `card` as one safetensors file.

        card: facts about the training. Raises: OutputError.
        """
        facts = {
            "format": FORMAT,
            "config": json.dumps(config_tables(self.config)),
            "card": json.dumps(card or {}),
        }
        tensors = {name: value.contiguous().cpu() for name, value in self.state_dict().items()}
        with partial_file(path) as partial:
            partial.write_bytes(save_tensors(tensors, metadata=facts))

    @classmethod
    def load(cls, path: str | Path) -> SparseCodec:
        """Read a checkpoint: a file, or the name of one that is shipped ("music").

        Raises: CheckpointError for a file that is missing, damaged or of another format.
        """
        file = find_checkpoint(path)
        tensors, header, digest = read_checkpoint(file)
        try:
            codec = cls(config_of(header, file))
            codec.load_state_dict(tensors)
            codec.card = json.loads(header["card"])
        except (ConfigError, RuntimeError, KeyError, ValueError) as error:
            raise misfit(file, error) from error
        if not all(torch.isfinite(tensor).all() for tensor in tensors.values()):
            raise CheckpointError(f"{file}: holds weights that are not finite; train it again")
        codec._digest = digest
        return codec.eval()
