"""Every size of a codec and of its training, read from one TOML file."""

from __future__ import annotations

import dataclasses
import tomllib
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path


class ConfigError(ValueError):
    """A configuration that cannot be used; the message names the file, the key and the fix."""


@dataclass(frozen=True)
class HarmonicEncoderConfig:
    """Proposes (pitch, frame) candidates by harmonic salience and reads each one's vector off the residual."""

    mel_bands: int = 192  # what the convolutions see
    channels: int = 128
    dilations: tuple[int, ...] = (1, 2, 4, 8, 16, 32, 1)
    pitches: int = 240  # candidates' pitches, a third of a semitone apart
    look: tuple[int, ...] = (
        -1,
        0,
        1,
        3,
        8,
        16,
        32,
        64,
        110,
    )  # frames after a candidate where its harmonics are read
    salience_frames: int = 24  # how far the salience of an onset looks ahead
    hidden: int = 256  # of the perceptron that writes the vector


@dataclass(frozen=True)
class FrameEncoderConfig:
    """The published encoder: a vector and a switch for every frame; the highest switch wins."""

    channels: int = 512
    dilations: tuple[int, ...] = (1, 2, 4, 8, 16, 32, 64, 1)


@dataclass(frozen=True)
class HarmonicDecoderConfig:
    """Partials and noise bands with an envelope, their decays, and a room."""

    harmonics: int = 32
    noise_bands: int = 64
    knots: tuple[int, ...] = (
        0,
        1,
        2,
        4,
        8,
        16,
        32,
        48,
        64,
        96,
        128,
    )  # frames after the onset, of the envelope
    event_frames: int = 128  # how long an event may sound
    lowest_pitch: float = 24.0  # MIDI; the first number of a vector spans it to `highest_pitch`
    highest_pitch: float = 104.0
    reverberation: tuple[float, ...] = (
        0.4,
        1.0,
        2.5,
    )  # seconds to fall by 60 dB, mixed for each event
    noise_envelope: bool = True  # the noise has an envelope of its own
    tilt: float = 1.0  # how far an event may grow brighter or duller, as an exponent of e for each octave; 0: not at all
    glide: float = 0.0  # semitones that an event's pitch may move; 0: it stands still
    hidden: int = 256


@dataclass(frozen=True)
class RecurrentDecoderConfig(HarmonicDecoderConfig):
    """The harmonic decoder with a recurrence, a linear state-space model, in the place of its decays."""

    states: int = 8  # damped modes that the excitation drives, for partials and for noise


@dataclass(frozen=True)
class ResonanceDecoderConfig:
    """The published decoder: shaped noise through a mix of learned resonances, then through a room."""

    resonances: int = 4096
    selected: int = 4  # resonances at a time, cross-faded over the event's life
    atoms: int = 256  # damped sinusoids that a resonance is a mix of
    resonance_frames: int = 32  # steps of the cross-fade over the event's life
    attack_samples: int = 8192  # 0.37 s
    attack_knots: int = 128
    noise_filter_samples: int = 512
    reverberation: tuple[float, ...] = (
        0.2,
        0.4,
        0.6,
        0.9,
        1.3,
        1.8,
        2.5,
        3.5,
    )  # seconds to fall by 60 dB
    hidden: int = 512


ENCODERS = {"harmonic": HarmonicEncoderConfig, "frame": FrameEncoderConfig}
DECODERS = {
    "harmonic": HarmonicDecoderConfig,
    "recurrent": RecurrentDecoderConfig,
    "resonance": ResonanceDecoderConfig,
}


_KEYS = {
    "encoder": {f.name for kind in ENCODERS.values() for f in dataclasses.fields(kind)},
    "decoder": {f.name for kind in DECODERS.values() for f in dataclasses.fields(kind)},
}


@dataclass(frozen=True)
class EncodeOptions:
    """How hard `encode` tries. More candidates and refinement cost time and find better events."""

    n_events: int = 0  # the most for each window; 0 is the configuration's
    candidates: int = 12  # tried at each step; the one that removes most is kept
    joint_gains: bool = (
        True  # fit the gains of all events again after each (orthogonal matching pursuit)
    )
    interim: int = 20  # gradient steps on all events found so far after every fourth; 0 for none
    refine: int = 60  # gradient steps on all events at the end; 0 leaves them as they were found
    merge: float = 0.0  # before that, of two events whose spectrograms have at least this cosine one goes; 0: both stay
    stop: float = (
        0.0  # decibels below the original at which a residual is left alone, such as -10; 0: never
    )
    smallest_share: float = (
        0.0  # of the original's energy: the first event that removes less is dropped; 0: none
    )

    def __post_init__(self):
        for name in ("n_events", "interim", "refine"):
            _demand(vars(self)[name] >= 0, f"{name} = {vars(self)[name]} must not be negative")
        _demand(self.candidates > 0, f"candidates = {self.candidates} must be at least 1")
        _demand(0 <= self.merge <= 1, f"merge = {self.merge} must be a cosine from 0 to 1")
        _demand(
            self.stop <= 0, f"stop = {self.stop} must be in dB below the original, such as -10.0"
        )
        share = f"smallest_share = {self.smallest_share}"
        _demand(0 <= self.smallest_share < 1, f"{share} must be from 0 to below 1, such as 0.001")


@dataclass(frozen=True)
class TrainingConfig:
    """How a codec learns. The weights say how much each term of the loss counts; 0 switches it off."""

    steps: int = 20_000  # optimiser steps; each is one greedy step on a batch
    minutes: float = (
        0.0  # if above 0, stop after so many and fit the learning rate's schedule to that
    )
    batch: int = 12
    pool: int = (
        96  # segments in flight, at all depths of their decomposition; a multiple of the batch
    )
    candidates: int = 3  # tried and trained at each step; one is drawn at random
    scenes: int = 0  # segments whose events are fitted together while the decoder learns from them
    scene_visits: int = 40  # steps for which a scene is kept
    learning_rate: float = 1.2e-3
    warmup_steps: int = 50
    weight_decay: float = 1e-3
    bf16: bool = False  # the encoder's convolutions in bfloat16
    # the greedy loss, of one event and its residual
    share: float = 2.0  # share of the energy removed
    cosine: float = 1.0  # between event and residual: has a gradient where the share has none
    removed_l1: float = 1.0  # share of the L1 norm removed (the published loss)
    over: float = 1.0  # price of what is subtracted below zero
    score: float = 0.03  # the score learns to predict the logarithm of the share removed
    # the loss of a scene, of all events together
    scene_l2: float = 2.0  # share of the energy left
    scene_l1: float = 1.0  # share of the L1 norm left
    perceptual: float = 0.2  # distance of log-mel spectrograms at several resolutions
    sparsity: float = 0.0  # sum of the gains, relative to the scene: few events for much energy
    # the adversarial loss, of the sum of events, half of them masked
    adversarial: float = 0.0
    adversarial_every: int = 4  # steps between two steps of the discriminator
    discriminator_channels: int = 128
    discriminator_layers: int = 4  # each halves the frames
    seed: int = 0


@dataclass(frozen=True)
class CodecConfig:
    """A codec's transform, sizes and parts.

    A longer `segment_samples` sees further ahead and costs proportionally more; `n_events` is the most
    that a segment is given.
    """

    name: str = "default"
    samplerate: int = 22_050  # Hz
    segment_samples: int = 2**17  # 5.94 s; events start in the first half
    window: int = 2048  # samples, Hann
    hop: int = 512  # samples from frame to frame
    n_events: int = 32
    vector_size: int = 32
    horizon_frames: int = 160  # frames that gains are fitted on: the first half and a little more
    gain: str = (
        "closed_form"  # "closed_form" (least squares) or "switch" (the encoder's, as published)
    )
    input: str = (
        "compressed"  # what the encoder sees: "compressed" (signed root) or "linear" (as published)
    )
    encode: EncodeOptions = field(default_factory=EncodeOptions)
    encoder: HarmonicEncoderConfig | FrameEncoderConfig = field(
        default_factory=HarmonicEncoderConfig
    )
    decoder: HarmonicDecoderConfig | ResonanceDecoderConfig = field(
        default_factory=HarmonicDecoderConfig
    )

    @property
    def n_frames(self) -> int:
        """Frames of a segment."""
        return self.segment_samples // self.hop

    @property
    def half_frames(self) -> int:
        """Frames of the first half, where events may start; also how far the codec slides when streaming."""
        return self.n_frames // 2

    @property
    def n_bins(self) -> int:
        return self.window // 2 + 1


def read_config(path: str | Path) -> tuple[CodecConfig, TrainingConfig]:
    """Read a TOML file with the tables `codec`, `encode`, `encoder`, `decoder` and `training`.

    Raises: ConfigError for an unreadable file, an unknown key or a value of the wrong type.
    """
    try:
        tables = tomllib.loads(Path(path).read_text())
    except OSError as error:
        raise ConfigError(
            f"{path}: cannot be read ({error.strerror}); give the path of a TOML file"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not TOML ({error})") from error
    return parse_config(tables, str(path))


def parse_config(tables: dict, source: str) -> tuple[CodecConfig, TrainingConfig]:
    """Build the configurations from nested plain values; `source` is named in errors."""
    _check_keys(tables, ("codec", "encode", "encoder", "decoder", "training"), source)
    parts = {}
    for table, kinds in (("encoder", ENCODERS), ("decoder", DECODERS)):
        _check_keys(tables.get(table, {}), ("kind", *_KEYS[table]), f"{source}: [{table}]")
        values = dict(tables.get(table, {}))
        kind = values.pop("kind", "harmonic")
        if kind not in kinds:
            raise ConfigError(f"{source}: [{table}] kind = {kind!r}; choose one of {sorted(kinds)}")
        parts[table] = _fill(kinds[kind], values, f"{source}: [{table}]")
    parts["encode"] = _fill(EncodeOptions, tables.get("encode", {}), f"{source}: [encode]")
    codec = _fill(
        CodecConfig, tables.get("codec", {}), f"{source}: [codec]", skip=tuple(parts), **parts
    )
    _check_codec(codec, source)
    training = _fill(TrainingConfig, tables.get("training", {}), f"{source}: [training]")
    if training.batch < 1 or training.pool % training.batch:
        raise ConfigError(
            f"{source}: [training] pool = {training.pool} must be a multiple of batch = {training.batch}"
        )
    return codec, training


def config_tables(codec: CodecConfig, training: TrainingConfig | None = None) -> dict:
    """The inverse of `parse_config`: plain nested values that JSON and TOML can hold."""
    tables: dict = {"codec": {}}
    for key, value in dataclasses.asdict(codec).items():
        if key in ("encoder", "decoder"):
            kinds = ENCODERS if key == "encoder" else DECODERS
            kind = next(k for k, cls in kinds.items() if type(vars(codec)[key]) is cls)
            tables[key] = {"kind": kind, **value}
        elif key == "encode":
            tables[key] = value
        else:
            tables["codec"][key] = value
    if training is not None:
        tables["training"] = dataclasses.asdict(training)
    return tables


def _fill(cls: type, values: dict, where: str, skip: tuple[str, ...] = (), **fixed):
    fields = {f.name: f for f in dataclasses.fields(cls) if f.name not in skip}
    _check_keys(values, fields, where)
    checked = {}
    for key, value in values.items():
        default = fields[key].default
        if isinstance(default, tuple) and isinstance(value, (list, tuple)):
            value = tuple(value)
        elif isinstance(default, float) and type(value) is int:
            value = float(value)
        if type(value) is not type(default):
            raise ConfigError(
                f"{where} {key} = {value!r}: expected a {type(default).__name__}, such as {default!r}"
            )
        checked[key] = value
    try:
        return cls(**checked, **fixed)
    except ConfigError as error:
        raise ConfigError(f"{where} {error}") from error


def _demand(holds: bool, what: str) -> None:
    if not holds:
        raise ConfigError(what)


def _check_keys(values: dict, known, where: str) -> None:
    if not isinstance(values, dict):
        raise ConfigError(f"{where}: expected a table of keys, not {values!r}")
    for key in values:
        if key not in known:
            close = get_close_matches(key, list(known), n=1)
            hint = (
                f"did you mean {close[0]!r}?"
                if close
                else f"known keys: {', '.join(sorted(known))}"
            )
            raise ConfigError(f"{where}: unknown key {key!r}; {hint}")


def _check_codec(codec: CodecConfig, source: str) -> None:
    def demand(holds: bool, what: str) -> None:
        _demand(holds, f"{source}: {what}")

    for name in (
        "samplerate",
        "segment_samples",
        "window",
        "hop",
        "n_events",
        "vector_size",
        "horizon_frames",
    ):
        demand(vars(codec)[name] > 0, f"[codec] {name} = {vars(codec)[name]} must be at least 1")
    demand(
        codec.segment_samples % (2 * codec.hop) == 0,
        f"[codec] segment_samples = {codec.segment_samples} must be a multiple of twice the hop",
    )
    demand(
        codec.half_frames <= codec.horizon_frames <= codec.n_frames,
        f"[codec] horizon_frames = {codec.horizon_frames} must be from {codec.half_frames} to {codec.n_frames}",
    )
    for key, choices in (("gain", ("closed_form", "switch")), ("input", ("compressed", "linear"))):
        demand(
            vars(codec)[key] in choices,
            f"[codec] {key} = {vars(codec)[key]!r}; choose one of {choices}",
        )
    harmonic = isinstance(codec.decoder, HarmonicDecoderConfig)
    demand(
        harmonic == isinstance(codec.encoder, HarmonicEncoderConfig),
        "the encoder and decoder kinds go together: harmonic with harmonic or recurrent, frame with resonance",
    )
    if harmonic:
        knots = codec.decoder.knots
        rising = all(a < b for a, b in zip(knots, knots[1:], strict=False))
        demand(
            rising and knots[0] == 0 and knots[-1] == codec.decoder.event_frames,
            f"[decoder] knots = {knots} must rise from 0 to event_frames = {codec.decoder.event_frames}",
        )
