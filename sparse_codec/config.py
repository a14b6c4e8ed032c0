"""Every size of a codec and of its training, read from one TOML file.

Types say which values are allowed, and msgspec checks them.
"""

import dataclasses
import functools
import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias, TypeVar, get_args, get_origin

import msgspec
import numpy as np
from msgspec import Meta

Config = TypeVar("Config")  # one of the dataclasses below
Positive = Annotated[int, Meta(ge=1)]
Count = Annotated[int, Meta(ge=0)]


class ConfigError(ValueError):
    """A configuration that cannot be used; the message names the file, the key and the fix."""


@dataclass(frozen=True)
class HarmonicEncoderConfig:
    """Sizes of the encoder that proposes candidates, pairs of a pitch and a frame, by their
    harmonic salience, and reads the vector of each off the residual.
    """

    mel_bands: int = 192  # of the spectrogram that the convolutions see
    channels: int = 128
    dilations: tuple[int, ...] = (1, 2, 4, 8, 16, 32, 1)
    pitches: int = 240  # candidates' pitches, a third of a semitone apart
    # frames after a candidate in which its harmonics are read
    look: tuple[int, ...] = (-1, 0, 1, 3, 8, 16, 32, 64, 110)
    salience_frames: int = 24  # how far the salience of an onset looks ahead
    hidden: int = 256  # of the perceptron that writes the vector


@dataclass(frozen=True)
class FrameEncoderConfig:
    """Sizes of the published encoder: a vector and a switch for every frame; the highest wins."""

    channels: int = 512
    dilations: tuple[int, ...] = (1, 2, 4, 8, 16, 32, 64, 1)


SYNTHESIS_HOP = 128  # samples between two points of an envelope in a harmonic decoder's sound


@dataclass(frozen=True)
class VoiceEncoderConfig:
    """The effort of the encoder that follows one voice, and places the knots where events peak."""

    # squared error, in the natural logarithm of amplitudes, that one more event must save
    price: Annotated[float, Meta(ge=0)] = 2.0
    voicing_weight: float = 2.0  # of the periodic share in that error
    pitch_weight: float = 1.0  # of the pitch in that error, in octaves
    faintest: Annotated[float, Meta(le=0)] = -60.0  # decibels below the loudest: no event


@dataclass(frozen=True)
class HarmonicDecoderConfig:
    """Sizes of the decoder of partials and noise bands with an envelope, decays, and a room."""

    harmonics: int = 32
    noise_bands: int = 64
    # of the envelope, in frames after the onset
    knots: tuple[int, ...] = (0, 1, 2, 4, 8, 16, 32, 48, 64, 96, 128)
    event_frames: int = 128  # how long an event may sound
    lowest_pitch: float = 24.0  # MIDI; the first number of a vector spans it to `highest_pitch`
    highest_pitch: float = 104.0
    # of the rooms that are mixed for each event, in seconds to fall by 60 dB
    reverberation: tuple[float, ...] = (0.4, 1.0, 2.5)
    noise_envelope: bool = True  # the noise has another envelope than the partials
    # how far an event may grow brighter or duller, as an exponent of e for each octave; 0: off
    tilt: float = 1.0
    glide: float = 0.0  # semitones that the pitch of an event may move; 0: it keeps its pitch
    # semitones that the pitch may swing, and that it may be away when an event begins. The last
    # numbers of a vector say how far: two for a vibrato, one for a scoop; 0: off
    vibrato: Annotated[float, Meta(ge=0)] = 0.0
    scoop: Annotated[float, Meta(ge=0)] = 0.0
    hidden: int = 256

    @property
    def moving_numbers(self) -> int:
        """How many of a vector's last numbers say how its pitch moves."""
        return 2 * bool(self.vibrato) + bool(self.scoop)


@dataclass(frozen=True)
class RecurrentDecoderConfig(HarmonicDecoderConfig):
    """Sizes of the harmonic decoder with a linear state-space model in the place of its decays."""

    states: int = 8  # damped modes that the excitation drives, for partials and for noise


@dataclass(frozen=True)
class ResonanceDecoderConfig:
    """Sizes of the published decoder: shaped noise through learned resonances, then a room."""

    resonances: int = 4096
    selected: int = 4  # resonances at a time, cross-faded over the event's life
    atoms: int = 256  # damped sinusoids that a resonance is a mix of
    resonance_frames: int = 32  # steps of the cross-fade over the event's life
    attack_samples: int = 8192  # 0.37 s
    attack_knots: int = 128
    noise_filter_samples: int = 512
    # of the rooms, in seconds to fall by 60 dB
    reverberation: tuple[float, ...] = (0.2, 0.4, 0.6, 0.9, 1.3, 1.8, 2.5, 3.5)
    hidden: int = 512


@dataclass(frozen=True)
class VoiceDecoderConfig:
    """Sizes of the decoder of a voice: harmonics and noise under an envelope of mel bands, for a
    triangle of time.
    """

    bands: int = 28  # of the envelope
    harmonics: int = 128
    slope_frames: int = 12  # the longest rise of an event, and its longest fall
    lowest_pitch: float = 60.0  # Hz
    highest_pitch: float = 500.0
    glide: float = 8.0  # octaves a second that the pitch may move


VOICE_NUMBERS = 5  # of a voice's vector before those of its envelope

Encoders: TypeAlias = HarmonicEncoderConfig | FrameEncoderConfig | VoiceEncoderConfig
Decoders: TypeAlias = HarmonicDecoderConfig | ResonanceDecoderConfig | VoiceDecoderConfig

ENCODERS: dict[str, Callable[..., Encoders]] = {
    "harmonic": HarmonicEncoderConfig,
    "frame": FrameEncoderConfig,
    "voice": VoiceEncoderConfig,
}
DECODERS: dict[str, Callable[..., Decoders]] = {
    "voice": VoiceDecoderConfig,
    "harmonic": HarmonicDecoderConfig,
    "recurrent": RecurrentDecoderConfig,
    "resonance": ResonanceDecoderConfig,
}


@dataclass(frozen=True)
class EncodeOptions:
    """The effort of `encode`. More candidates and refinement cost time and find better events.

    A codec that follows a voice searches for nothing: of these, `n_events` alone counts for it.
    """

    n_events: Count = 0  # the most for each window; 0 is the configuration's
    candidates: Positive = 12  # tried at each step; the one that removes most is kept
    # that are kept of the same candidates, before the encoder looks at what is left
    events_per_pass: Positive = 2
    # fit the gains of all events again after each (orthogonal matching pursuit)
    joint_gains: bool = True
    # events are drawn to where sounds begin: frames that a time may lie from there to be moved
    # there before it is refined, so without refinement none; 0: they begin where they remove most
    reach: Annotated[float, Meta(ge=0, examples=[4.0])] = 4.0
    interim: Count = 10  # gradient steps on all events so far, now and then; 0: none
    interim_every: Positive = 8  # events from one time to the next
    refine: Count = 30  # gradient steps on all events at the end; 0: none
    # before those, drop the weaker of two events this similar (cosine of spectrograms); 0: off
    merge: Annotated[float, Meta(ge=0, le=1)] = 0.0
    # decibels below the original at which a residual is left alone; 0: never
    stop: Annotated[float, Meta(le=0, examples=[-10.0])] = 0.0
    # of the original's energy: the first event that removes less is dropped; 0: none
    smallest_share: Annotated[float, Meta(ge=0, lt=1, examples=[0.001])] = 0.0

    def __post_init__(self) -> None:
        for key, value in vars(self).items():
            _convert(type(self), key, value.item() if isinstance(value, np.generic) else value)


# Three points of quality against time, as changes of a configuration's options. Their figures are
# in docs/speed.md.
EFFORTS: dict[str, dict[str, Any]] = {
    "fast": {"interim": 0, "refine": 0},  # the greedy loop alone
    "default": {},
    "best": {"events_per_pass": 1, "interim": 20, "interim_every": 4, "refine": 60},
}


def at_effort(options: EncodeOptions, effort: str) -> EncodeOptions:
    """Return options with the effort of that name; those that refine nothing stay as they are.

    Raises: ConfigError for a name that is not in `EFFORTS`.
    """
    if effort not in EFFORTS:
        raise ConfigError(f"effort = {effort!r}; choose one of {sorted(EFFORTS)}")
    refines = options.interim or options.refine
    return dataclasses.replace(options, **EFFORTS[effort]) if refines else options


# Three points of quality against rate, as multiples of the events that a configuration gives a
# window. The rates and figures are in docs/evaluation.md.
QUALITIES: dict[str, int] = {"sparse": 1, "medium": 2, "high": 4}


def at_quality(options: EncodeOptions, quality: str, n_events: int) -> EncodeOptions:
    """Return options with the events of a point of quality.

    n_events: of a window in the configuration. With more events there are more from one refinement
    to the next, so that it is done as often. Raises: ConfigError for a name that is not in
    `QUALITIES`.
    """
    if quality not in QUALITIES:
        raise ConfigError(f"quality = {quality!r}; choose one of {list(QUALITIES)}")
    times = QUALITIES[quality]
    if times == 1:
        return options
    return dataclasses.replace(
        options,
        n_events=times * (options.n_events or n_events),
        interim_every=times * options.interim_every,
    )


@dataclass(frozen=True)
class TrainingConfig:
    """The training of a codec. A weight scales a term of the loss; 0 switches the term off."""

    steps: int = 20_000  # optimiser steps; each is one greedy step on a batch
    # if above 0, stop after this many, and fit the learning rate's schedule to them
    minutes: float = 0.0
    batch: Positive = 12
    # segments in flight, at all depths of their decomposition; a multiple of the batch
    pool: int = 96
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

    A longer `segment_samples` sees further ahead and costs proportionally more; `n_events` is the
    most that a segment is given.
    """

    name: str = "default"
    samplerate: Positive = 22_050  # Hz
    segment_samples: Positive = 2**17  # 5.94 s; events start in the first half
    window: Positive = 2048  # samples, Hann
    hop: Positive = 512  # samples from frame to frame
    n_events: Positive = 32
    vector_size: Positive = 32
    # frames that events are fitted on: the first half and a little more; after these they may only
    # take what is there
    horizon_frames: Positive = 160
    # by least squares, or the encoder's switch, as published
    gain: Literal["closed_form", "switch"] = "closed_form"
    # of the encoder: the signed root of magnitudes, or magnitudes, as published
    input: Literal["compressed", "linear"] = "compressed"
    encode: EncodeOptions = field(default_factory=EncodeOptions)
    encoder: Encoders = field(default_factory=HarmonicEncoderConfig)
    decoder: Decoders = field(default_factory=HarmonicDecoderConfig)

    @property
    def kind(self) -> tuple[int, int, int]:
        """The `EventSet.kind` of the codec's events."""
        return self.samplerate, self.hop, self.vector_size

    @property
    def n_frames(self) -> int:
        """Frames of a segment."""
        return self.segment_samples // self.hop

    @property
    def half_frames(self) -> int:
        """Frames of the first half of a segment, in which events may start; also how far the
        codec slides when it streams.
        """
        return self.n_frames // 2

    @property
    def n_bins(self) -> int:
        """Frequency bins of a frame."""
        return self.window // 2 + 1


def read_config(path: str | Path) -> tuple[CodecConfig, TrainingConfig]:
    """Read a TOML file with the tables `codec`, `encode`, `encoder`, `decoder` and `training`.

    Raises: ConfigError for an unreadable file, an unknown key or a value of the wrong type.
    """
    try:
        tables = tomllib.loads(Path(path).read_text())
    except OSError as error:
        reason = f"cannot be read ({error.strerror}); give the path of a TOML file"
        raise ConfigError(f"{path}: {reason}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not TOML ({error})") from error
    return parse_config(tables, str(path))


def parse_config(tables: dict[str, Any], source: str) -> tuple[CodecConfig, TrainingConfig]:
    """Build the configurations from nested plain values; errors name `source`.

    Raises: ConfigError for an unknown key, or a value of the wrong type or out of range.
    """
    _check_keys(tables, ("codec", "encode", "encoder", "decoder", "training"), source)
    codec = _build(
        CodecConfig,
        tables.get("codec", {}),
        f"{source}: [codec]",
        encode=_build(EncodeOptions, tables.get("encode", {}), f"{source}: [encode]"),
        encoder=_build_kind(ENCODERS, tables.get("encoder", {}), f"{source}: [encoder]"),
        decoder=_build_kind(DECODERS, tables.get("decoder", {}), f"{source}: [decoder]"),
    )
    _check_codec(codec, source)
    training = _build(TrainingConfig, tables.get("training", {}), f"{source}: [training]")
    if training.pool % training.batch:
        raise ConfigError(
            f"{source}: [training] pool = {training.pool} must be a multiple of"
            f" batch = {training.batch}"
        )
    return codec, training


def config_tables(
    codec: CodecConfig, training: TrainingConfig | None = None
) -> dict[str, dict[str, Any]]:
    """The inverse of `parse_config`: plain nested values that JSON and TOML can hold."""
    values = dataclasses.asdict(codec)
    tables = {
        "encode": values.pop("encode"),
        "encoder": {"kind": _kind(codec.encoder, ENCODERS), **values.pop("encoder")},
        "decoder": {"kind": _kind(codec.decoder, DECODERS), **values.pop("decoder")},
    }
    tables = {"codec": values, **tables}
    if training is not None:
        tables["training"] = dataclasses.asdict(training)
    return tables


def _kind(part: object, kinds: dict[str, Callable[..., Config]]) -> str:
    return next(kind for kind, config in kinds.items() if config is type(part))


# ---- one table


def _build_kind(kinds: dict[str, Callable[..., Config]], table: Any, where: str) -> Config:
    """Return the configuration of the kind that a table names, by default "harmonic"."""
    kind = table.get("kind", "harmonic") if isinstance(table, dict) else "harmonic"
    choices = sorted(kinds)
    if kind not in choices:
        raise ConfigError(f"{where} kind = {kind!r}; choose one of {choices}")
    _check_keys(table, ("kind", *_fields(kinds[kind])), where)
    values = {key: value for key, value in table.items() if key != "kind"}
    return _build(kinds[kind], values, where)


def _build(config: Callable[..., Config], table: Any, where: str, **parts: object) -> Config:
    """Return a configuration from the values of a table, and from `parts` that are built."""
    _check_keys(table, _fields(config).keys() - parts.keys(), where)
    try:
        values = {key: _convert(config, key, value) for key, value in table.items()}
    except ConfigError as error:
        raise ConfigError(f"{where} {error}") from error
    return config(**values, **parts)


def _convert(config: Callable[..., object], key: str, value: object) -> object:
    """Return the value of a key as the type that its configuration has for it."""
    hint: Any = _fields(config)[key].type
    try:
        return msgspec.convert(value, hint)
    except msgspec.ValidationError as error:
        if get_origin(hint) is Literal:
            fix = f"choose one of {get_args(hint)}"
        else:
            fix = f"give a value such as {_example(config, key)!r}"
        raise ConfigError(f"{key} = {value!r}: {error}; {fix}") from error


def _example(config: Callable[..., object], key: str) -> object:
    """Return the first example that a key's type gives, or the default."""
    for meta in getattr(_fields(config)[key].type, "__metadata__", ()):
        if meta.examples:
            return meta.examples[0]
    return _fields(config)[key].default


@functools.cache
def _fields(config: Any) -> dict[str, dataclasses.Field[Any]]:
    return {field.name: field for field in dataclasses.fields(config)}


def _check_keys(table: object, known: Iterable[str], where: str) -> None:
    """Raise ConfigError for the first key that is not known, with the nearest one that is."""
    if not isinstance(table, dict):
        raise ConfigError(f"{where}: expected a table of keys, not {table!r}")
    known = sorted(known)
    for key in table:
        if key not in known:
            close = get_close_matches(key, known, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"known keys: {', '.join(known)}"
            raise ConfigError(f"{where}: unknown key {key!r}; {hint}")


# ---- sizes that depend on each other


def _check_codec(codec: CodecConfig, source: str) -> None:
    """Raise ConfigError for sizes that do not go together."""

    def demand(holds: bool, rule: str) -> None:
        if not holds:
            raise ConfigError(f"{source}: {rule}")

    demand(
        codec.segment_samples % (2 * codec.hop) == 0,
        f"[codec] segment_samples = {codec.segment_samples} must be a multiple of twice the hop",
    )
    demand(
        codec.half_frames <= codec.horizon_frames <= codec.n_frames,
        f"[codec] horizon_frames = {codec.horizon_frames} must be"
        f" from {codec.half_frames} to {codec.n_frames}",
    )
    partners = {
        HarmonicEncoderConfig: HarmonicDecoderConfig,
        FrameEncoderConfig: ResonanceDecoderConfig,
        VoiceEncoderConfig: VoiceDecoderConfig,
    }
    demand(
        isinstance(codec.decoder, partners[type(codec.encoder)]),
        "the encoder and decoder kinds go together:"
        " harmonic with harmonic or recurrent, frame with resonance, voice with voice",
    )
    demand(
        codec.window % (2 * codec.hop) == 0,
        f"[codec] window = {codec.window} must be a multiple of twice the hop, {codec.hop}",
    )
    if isinstance(codec.decoder, VoiceDecoderConfig):
        _check_voice(codec, codec.decoder, demand)
    if isinstance(codec.decoder, HarmonicDecoderConfig):
        demand(
            codec.hop % SYNTHESIS_HOP == 0,
            f"[codec] hop = {codec.hop} must be a multiple of {SYNTHESIS_HOP} for this decoder,"
            " whose envelopes have points so many samples apart",
        )
        knots, end = codec.decoder.knots, codec.decoder.event_frames
        demand(
            list(knots) == sorted(set(knots)) and knots[:1] + knots[-1:] == (0, end),
            f"[decoder] knots = {knots} must rise from 0 to event_frames = {end}",
        )
        n_own = 1 + codec.decoder.moving_numbers
        demand(
            codec.vector_size >= n_own,
            f"[codec] vector_size = {codec.vector_size} must be at least {n_own}: a pitch, and how"
            " it moves by the decoder's vibrato and scoop",
        )


def _check_voice(
    codec: CodecConfig, sizes: VoiceDecoderConfig, demand: Callable[[bool, str], None]
) -> None:
    """Demand the sizes that a vector, and events that reach into the next half segment, need."""
    most = VOICE_NUMBERS + sizes.bands - 1
    demand(
        VOICE_NUMBERS < codec.vector_size <= most,
        f"[codec] vector_size = {codec.vector_size} must be from {VOICE_NUMBERS + 1} to {most}:"
        f" {VOICE_NUMBERS} numbers, and up to bands - 1 = {sizes.bands - 1} of the envelope",
    )
    demand(
        1 < sizes.slope_frames <= codec.half_frames // 4,
        f"[decoder] slope_frames = {sizes.slope_frames} must be from 2 to"
        f" {codec.half_frames // 4}, a quarter of a half segment",
    )
    demand(
        0 < sizes.lowest_pitch < sizes.highest_pitch,
        f"[decoder] lowest_pitch = {sizes.lowest_pitch} must be above 0 Hz and below"
        f" highest_pitch = {sizes.highest_pitch}",
    )


MEASURE = CodecConfig()  # every codec is measured on segments of its length, by its transform
