"""The sparse event codec: audio -> events -> audio.

Encoding is greedy: propose candidates, keep the one that removes most energy from the residual, fit its gain,
subtract, look again. Shapes: B segments, F bins, T frames of a segment, L frames of an event, K candidates,
N events, V vector size.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from scipy.optimize import nnls
from torch import Tensor, nn

from sparse_codec.config import (
    CodecConfig,
    ConfigError,
    EncodeOptions,
    HarmonicDecoderConfig,
    config_tables,
    parse_config,
)
from sparse_codec.decoder import HarmonicDecoder, Target
from sparse_codec.encoder import Candidates, FrameEncoder, HarmonicEncoder
from sparse_codec.events import EventSet, join
from sparse_codec.refine import Events, refine
from sparse_codec.resonance_decoder import ResonanceDecoder
from sparse_codec.spectrogram import magnitudes, place

CHECKPOINTS = Path(__file__).parent / "checkpoints"
FORMAT = "sparse-codec 1"
INTERIM_EVENTS = 4  # with `interim` refinement, after every so many


class CheckpointError(ValueError):
    """A checkpoint that cannot be used; the message names the file and the fix."""


@dataclass
class Decomposition:
    """A batch of segments while they are taken apart. Of room for the most events, `n_found` are filled."""

    original: Tensor  # (B, F, T)
    residual: Tensor  # (B, F, T)
    vectors: Tensor  # (B, N, V)
    frames: Tensor  # (B, N)
    offsets: Tensor  # (B, N)
    gains: Tensor  # (B, N)
    spectra: Tensor  # (B, N, F, horizon) at unit gain
    products: Tensor  # (B, N, N) float64, the events' inner products up to the horizon
    removed: Tensor  # (B, N) float64, the events' inner products with the original up to the horizon
    n_found: int = 0


@dataclass(frozen=True)
class Window:
    """One window of a clip: its events, at their places in the clip, and how they were found."""

    events: EventSet
    found: Decomposition


class SparseCodec(nn.Module):
    """Encoder and decoder of one configuration."""

    def __init__(self, config: CodecConfig):
        super().__init__()
        self.config = config
        self.card: dict = {}  # facts about the training, from the checkpoint
        self._digest = ""
        if isinstance(config.decoder, HarmonicDecoderConfig):
            self.decoder = HarmonicDecoder(config)
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
            raise CheckpointError("this codec has no digest because it is in no file; save it and load it again")
        return self._digest

    # ---- whole clips

    def encode(self, audio: np.ndarray, options: EncodeOptions | None = None) -> EventSet:
        """Events in the first half of one segment of audio (T,), which is padded with zeros to a segment.

        Raises: ValueError for audio that is not mono, is longer than a segment, or holds NaN.
        """
        if len(audio) > self.config.segment_samples:
            raise ValueError(
                f"{len(audio)} samples are more than a segment of {self.config.segment_samples}; use stream()"
            )
        return next(self.windows(audio, options)).events

    def stream(
        self, audio: np.ndarray, options: EncodeOptions | None = None, progress: Callable | None = None
    ) -> EventSet:
        """Events of audio (T,) of any length, the tail included. `progress` wraps the windows, as tqdm does."""
        windows = self.windows(audio, options)
        if progress:
            windows = progress(windows, total=self.n_windows(len(audio)))
        return join([window.events for window in windows], n_samples=len(audio))

    def windows(self, audio: np.ndarray, options: EncodeOptions | None = None) -> Iterator[Window]:
        """Encode audio (T,) window by window, sliding by half a segment.

        What the events of one window leave sounding in the next is taken off before that one is encoded. Only the
        spectrogram of the current window is in memory. Raises: ValueError as `encode`.
        """
        audio, config = check_audio(audio), self.config
        half = config.segment_samples // 2
        tail = torch.zeros(1, config.n_bins, config.half_frames, device=self.device)
        for w in range(self.n_windows(len(audio))):
            segment = np.zeros(config.segment_samples, np.float32)
            part = audio[w * half : w * half + config.segment_samples]
            segment[: len(part)] = part
            original = self.magnitudes(torch.from_numpy(segment)[None])
            original[:, :, : config.half_frames] -= tail
            found = self.decompose(original, options)
            tail = (found.original - found.residual)[..., config.half_frames :]
            yield Window(self.event_set(found, len(audio), first_frame=w * config.half_frames), found)

    def n_windows(self, n_samples: int) -> int:
        """Windows that cover so many samples: one for every half segment that is begun."""
        return max(1, -(-n_samples // (self.config.segment_samples // 2)))

    def decode(self, events: EventSet) -> np.ndarray:
        """Sound (n_samples,) float32 of an event set: the sum of its events, each at its onset."""
        audio = np.zeros(events.n_samples, np.float32)
        for onset, sound in zip(events.onsets, self.render(events), strict=True):
            end = min(len(audio), onset + len(sound))
            audio[onset:end] += sound[: max(0, end - onset)]
        return audio

    def render(self, events: EventSet) -> Iterator[np.ndarray]:
        """The sound (T,) float32 of each event at its gain, from its onset on.

        Raises: ValueError for events of another samplerate or hop than the codec's.
        """
        for stages in self.render_stages(events):
            yield stages["room"]

    @torch.no_grad()
    def render_stages(self, events: EventSet) -> Iterator[dict[str, np.ndarray]]:
        """For each event the sound after each of the decoder's stages, at its gain.

        One at a time: in a batch the last bits of an event would depend on its neighbours.
        """
        if (events.samplerate, events.hop) != (self.config.samplerate, self.config.hop):
            raise ValueError(
                f"events at {events.samplerate} Hz with a hop of {events.hop}, but this codec has"
                f" {self.config.samplerate} Hz and {self.config.hop}: decode them with the codec that made them"
            )
        for vector, offset, gain in zip(events.vectors, events.offsets, events.gains, strict=True):
            stages = self.decoder.render(*(torch.from_numpy(x).to(self.device) for x in (vector[None], offset[None])))
            sounds = {"excitation": stages.excitation, "resonance": stages.resonance, "room": stages.room}
            yield {name: gain * sound[0].cpu().numpy() for name, sound in sounds.items()}

    @torch.no_grad()
    def scene(self, events: EventSet, n_frames: int) -> Tensor:
        """The events' spectrograms, added up: magnitudes (F, n_frames)."""
        values = (torch.from_numpy(x)[None] for x in (events.vectors, events.offsets, events.frames, events.gains))
        return self.decoder.scene(*(x.to(self.device) for x in values), n_frames)[0]

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
    def device(self) -> torch.device:
        return next(self.parameters()).device

    # ---- the greedy loop

    @torch.no_grad()
    def decompose(self, original: Tensor, options: EncodeOptions | None = None) -> Decomposition:
        """Take magnitude spectrograms (B, F, T) apart, event by event."""
        options = options or self.config.encode
        n_events = options.n_events or self.config.n_events
        state = self._start(original, n_events)
        if not original.any():  # silence holds no events
            return state
        while state.n_found < n_events and not self._done(state, options).all():
            self._step(state, options)
            if options.interim and state.n_found % INTERIM_EVENTS == 0 and state.n_found < n_events:
                self._refine(state, options.interim)
        if options.merge:
            self._merge(state, options.merge)
        if options.refine:
            self._refine(state, options.refine)
        return state

    def _done(self, state: Decomposition, options: EncodeOptions) -> Tensor:
        """Segments (B,) whose residual is low enough in the first half."""
        half = self.config.half_frames
        left, had = (x[:, :, :half].pow(2).sum((1, 2)) for x in (state.residual, state.original))
        return (left <= had * 10 ** (options.stop / 10)) & (options.stop < 0)

    def _merge(self, state: Decomposition, least_cosine: float) -> None:
        """Drop the weaker of two events that are nearly the same, and fit the gains of the others again."""
        found = slice(0, state.n_found)
        products = state.products[:, found, found]
        norms = products.diagonal(dim1=1, dim2=2).clamp(min=1e-12).sqrt()
        alike = products / (norms[:, :, None] * norms[:, None]) >= least_cosine
        strength = state.gains[:, found] * norms
        for b in range(len(products)):
            kept = torch.zeros(state.n_found, dtype=torch.bool, device=products.device)
            for n in strength[b].argsort(descending=True).tolist():
                kept[n] = strength[b, n] > 0 and not (alike[b, n] & kept).any()
            gains = torch.zeros_like(state.gains[b, found])
            if kept.any():
                gains[kept] = joint_gains(products[b, kept][:, kept][None], state.removed[b, found][kept][None])[0]
            state.gains[b, found] = gains
        self._subtract(state)

    def _start(self, original: Tensor, n_events: int) -> Decomposition:
        batch, like = len(original), dict(device=original.device)
        return Decomposition(
            original=original,
            residual=original.clone(),
            vectors=torch.zeros(batch, n_events, self.config.vector_size, **like),
            frames=torch.zeros(batch, n_events, dtype=torch.long, **like),
            offsets=torch.zeros(batch, n_events, **like),
            gains=torch.zeros(batch, n_events, **like),
            spectra=torch.zeros(batch, n_events, self.config.n_bins, self.config.horizon_frames, **like),
            products=torch.zeros(batch, n_events, n_events, dtype=torch.double, **like),
            removed=torch.zeros(batch, n_events, dtype=torch.double, **like),
        )

    def _step(self, state: Decomposition, options: EncodeOptions) -> None:
        """Find one more event in each segment and take it off the residual."""
        proposed = self.encoder(state.residual, options.candidates)
        n, rows = state.n_found, torch.arange(len(state.residual), device=state.residual.device)
        done, before = self._done(state, options), state.gains.clone()
        best = self._best(state.residual, proposed)
        for name in ("vectors", "offsets", "frames"):
            getattr(state, name)[:, n] = getattr(proposed, name)[rows, best]
        state.n_found = n + 1
        self._measure(state, slice(n, n + 1))
        if self.config.gain == "switch":
            state.gains[:, n] = proposed.switches[rows, best]
        elif options.joint_gains:
            state.gains[:, : n + 1] = joint_gains(state.products[:, : n + 1, : n + 1], state.removed[:, : n + 1])
        else:
            taken = (state.products[:, n, :n] * state.gains[:, :n]).sum(1)
            left = state.removed[:, n] - taken
            state.gains[:, n] = (left / state.products[:, n, n].clamp(min=1e-12)).clamp(min=0)
        state.gains[done] = before[done]
        self._subtract(state)

    def _best(self, residual: Tensor, proposed: Candidates) -> Tensor:
        """Index (B,) of the candidate that removes most."""
        batch, k = proposed.frames.shape
        if k == 1:
            return torch.zeros(batch, dtype=torch.long, device=residual.device)
        target = self.around(residual, proposed.frames)
        events = self.decoder.spectrograms(proposed.vectors.flatten(0, 1), proposed.offsets.flatten())
        events = events * target.mask[:, None]
        product, size = (target.spectrum * events).sum((1, 2)), events.pow(2).sum((1, 2))
        return (product / (size + 1e-12).sqrt()).unflatten(0, (batch, k)).argmax(1)

    def _refine(self, state: Decomposition, steps: int) -> None:
        """Fit the events found so far together."""
        found, horizon = slice(0, state.n_found), self.config.horizon_frames
        events = Events(*(x[:, found] for x in (state.vectors, state.frames, state.offsets, state.gains)))
        events = refine(self.decoder, state.original[..., :horizon], events, steps, self.config.half_frames - 1)
        for name in ("vectors", "frames", "offsets", "gains"):
            getattr(state, name)[:, found] = getattr(events, name)
        self._measure(state, found)
        self._keep_useful(state)
        self._subtract(state)

    def _keep_useful(self, state: Decomposition) -> None:
        """Where an event adds energy when the events are taken off in order, take the least-squares gains instead.

        With those every event removes energy up to the horizon, in any order: what is left of the original is
        orthogonal to each event that has a gain, and no two events have a negative inner product.
        """
        found = slice(0, state.n_found)
        gains, products, removed = (
            state.gains[:, found].double(),
            state.products[:, found, found],
            state.removed[:, found],
        )
        before = torch.tril(products, -1) @ gains[:, :, None]  # what the earlier events take of each
        useful = gains * (2 * (removed - before[:, :, 0]) - gains * products.diagonal(dim1=1, dim2=2))
        for b in (useful < 0).any(1).nonzero()[:, 0].tolist():
            alive = gains[b] > 0
            state.gains[b, found][alive] = joint_gains(products[b, alive][:, alive][None], removed[b, alive][None])[0]

    def _measure(self, state: Decomposition, which: slice) -> None:
        """Spectrograms of some events, and their inner products with the original and with all events so far."""
        horizon, found = self.config.horizon_frames, slice(0, state.n_found)
        vectors, offsets, frames = (x[:, which].flatten(0, 1) for x in (state.vectors, state.offsets, state.frames))
        spectra = place(self.decoder.spectrograms(vectors, offsets), frames, self.decoder.lead, horizon)
        state.spectra[:, which] = spectra.unflatten(0, (len(state.original), -1))
        some, every = (state.spectra[:, events].flatten(2) for events in (which, found))
        products = (some @ every.transpose(1, 2)).double()
        state.products[:, which, found], state.products[:, found, which] = products, products.transpose(1, 2)
        original = state.original[:, :, :horizon].flatten(1)[:, :, None]
        state.removed[:, which] = (some @ original)[:, :, 0].double()

    def _subtract(self, state: Decomposition) -> None:
        """The residual: what the events found so far leave of the original, all frames of it."""
        found = slice(0, state.n_found)
        events = (x[:, found] for x in (state.vectors, state.offsets, state.frames, state.gains))
        state.residual = state.original - self.decoder.scene(*events, self.config.n_frames)

    def around(self, residual: Tensor, frames: Tensor) -> Target:
        """What lies where events at frames (B, K) would: B * K targets.

        Only frames of the segment before the horizon count.
        """
        length, lead, horizon = self.decoder.event_frames, self.decoder.lead, self.config.horizon_frames
        rows = torch.arange(len(frames), device=frames.device).repeat_interleave(frames.shape[1])
        padded = nn.functional.pad(residual[:, :, :horizon], (lead, length))
        cut = padded.unfold(2, length, 1)[rows, :, frames.flatten()]
        at = frames.flatten()[:, None] - lead + torch.arange(length, device=frames.device)
        return Target(cut, ((at >= 0) & (at < horizon)).float())

    # ---- files

    def save(self, path: str | Path, card: dict | None = None) -> None:
        """Write weights, configuration and `card` (facts about the training) as one safetensors file."""
        facts = {"format": FORMAT, "config": json.dumps(config_tables(self.config)), "card": json.dumps(card or {})}
        data = save_tensors({k: v.contiguous().cpu() for k, v in self.state_dict().items()}, metadata=facts)
        target = Path(path)
        partial = target.with_name(target.name + ".part")
        partial.write_bytes(data)
        partial.replace(target)

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
            raise CheckpointError(f"{file}: does not fit this version: {str(error).splitlines()[0]}") from error
        if not all(torch.isfinite(tensor).all() for tensor in tensors.values()):
            raise CheckpointError(f"{file}: holds weights that are not finite; train it again")
        codec._digest = digest
        return codec.eval()


def read_checkpoint(file: Path) -> tuple[dict[str, Tensor], dict[str, str], str]:
    """The weights, the facts and the SHA-256 of a checkpoint file.

    Raises: CheckpointError for a file that is damaged or of another format.
    """
    try:
        data = file.read_bytes()
        header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])["__metadata__"]
        tensors = load_tensors(data)
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        raise CheckpointError(f"{file}: not a checkpoint of this project ({error})") from error
    if header.get("format") != FORMAT:
        raise CheckpointError(f"{file}: format {header.get('format')!r}, expected {FORMAT!r}; train it again")
    return tensors, header, hashlib.sha256(data).hexdigest()


def find_checkpoint(path: str | Path) -> Path:
    """The file of a checkpoint that is given by path or by the name of a shipped one."""
    shipped = CHECKPOINTS / f"{path}.safetensors"
    if Path(path).suffix or not shipped.exists():
        if not Path(path).is_file():
            names = ", ".join(sorted(p.stem for p in CHECKPOINTS.glob("*.safetensors")))
            raise CheckpointError(f"{path}: no such checkpoint; give a .safetensors file or one of: {names}")
        return Path(path)
    return shipped


def check_audio(audio: np.ndarray) -> np.ndarray:
    """Audio (T,) as float32. Raises: ValueError if it is not mono, is empty, or holds NaN or infinity."""
    audio = np.asarray(audio, np.float32)
    if audio.ndim != 1 or not len(audio):
        raise ValueError(f"audio of shape {audio.shape}; give mono samples (T,), at least one")
    if not np.isfinite(audio).all():
        raise ValueError("audio holds NaN or infinite samples; clean it first")
    return audio


def joint_gains(products: Tensor, removed: Tensor) -> Tensor:
    """The gains (B, n) >= 0 that leave least energy, given the events' inner products (B, n, n) with each other
    and (B, n) with the original, float64.

    Non-negative least squares on a square root of `products`: |A g - x|^2 and |R g - R^-1' A'x|^2, with
    R'R = A'A, differ by a constant. Near-duplicate events make the products singular, so R comes from their
    eigenvectors. Source: orthogonal matching pursuit, Pati et al. 1993; Lawson and Hanson 1974.
    """
    values, vectors = torch.linalg.eigh(products)
    root = values.clamp(min=1e-6 * values.amax(1, keepdim=True).clamp(min=1e-12)).sqrt()
    factor = (root[:, :, None] * vectors.transpose(1, 2)).cpu().numpy()
    aim = ((vectors.transpose(1, 2) @ removed[:, :, None])[:, :, 0] / root).cpu().numpy()
    gains = [nnls(factor[b], aim[b])[0] for b in range(len(removed))]
    return torch.from_numpy(np.stack(gains)).to(removed.device).float()
