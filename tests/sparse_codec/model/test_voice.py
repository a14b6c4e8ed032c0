"""The codec of a voice: what it hears, what its events show, and how they sound together."""

import dataclasses

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from sparse_codec import CodecConfig, ConfigError, EncodeOptions, EventSet, SparseCodec
from sparse_codec.config import VoiceDecoderConfig, VoiceEncoderConfig, parse_config
from sparse_codec.events import join
from sparse_codec.model.spectrogram import magnitudes, shares_removed
from sparse_codec.model.voice_analysis import analyse
from sparse_codec.model.voice_decoder import ENVELOPE, FALL, GLIDE, PITCH, RISE, VOICING
from sparse_codec.stereo import encode_stereo

RATE = 22_050
TABLES = {
    "codec": {
        "name": "voice",
        "segment_samples": 2**15,
        "window": 1024,
        "hop": 256,
        "n_events": 24,
        "horizon_frames": 80,
    },
    "encoder": {"kind": "voice"},
    "decoder": {"kind": "voice"},
}


@pytest.fixture(scope="module")
def codec() -> SparseCodec:
    """A codec with plain axes: cosines over the bands, without training."""
    codec = SparseCodec(parse_config(TABLES, "test")[0])
    place = torch.arange(28) + 0.5
    axes = torch.cos(torch.pi * torch.arange(1, 28)[:, None] * place / 28)
    weights = codec.decoder.get_buffer("weights")
    level = weights / weights.norm()
    axes = torch.linalg.qr(torch.cat([level[None], axes]).T)[0].T[1:]
    codec.decoder.get_parameter("basis").data = 12 * axes / weights
    return codec


def sing(pitch, seconds=1.2, noise=0.0):
    """A voice of ten harmonics at pitches that glide between two, in two syllables."""
    time = np.arange(round(seconds * RATE)) / RATE
    track = np.interp(time, [0, seconds], pitch)
    phase = 2 * np.pi * np.cumsum(track) / RATE
    wave = sum(np.sin(h * phase) / h for h in range(1, 11))
    envelope = np.sin(2 * np.pi * time / seconds) ** 2
    hiss = np.random.default_rng(1).normal(size=len(time))
    return (0.2 * envelope * wave + noise * hiss).astype(np.float32)


def event(codec, **numbers):
    """Vectors (1, V) of one event."""
    vector = torch.zeros(1, codec.config.vector_size)
    places = {"pitch": PITCH, "glide": GLIDE, "voicing": VOICING, "rise": RISE, "fall": FALL}
    for name, value in numbers.items():
        vector[0, places[name]] = value
    return vector


@pytest.mark.parametrize("pitch", [(90, 90), (120, 180), (320, 240)])
def test_the_pitch_of_a_voice_is_heard(pitch):
    audio = sing(pitch)
    centres = np.arange(0, len(audio), 256)
    voice = analyse(audio, centres, 28, (60.0, 500.0), RATE)
    expected = np.interp(centres / len(audio), [0, 1], pitch)
    loud = slice(10, 40)
    assert np.abs(np.log2(voice.pitch[loud] / expected[loud])).max() < 0.03
    assert voice.voicing[loud].min() > 0.2


def test_noise_has_no_pitch():
    noise = np.random.default_rng(0).normal(size=RATE).astype(np.float32)
    voice = analyse(noise, np.arange(0, RATE, 256), 28, (60.0, 500.0), RATE)
    assert voice.voicing.mean() < 0.1
    # white noise of variance 1 has the density 1 in every band; the lowest lacks its 0 Hz
    assert np.abs(voice.envelope.mean(0)[1:]).max() < 0.3


@torch.no_grad()
@pytest.mark.parametrize("numbers", [{"voicing": 0.9}, {"voicing": -1.0}, {"glide": 0.3}])
def test_an_event_sounds_as_its_spectrogram_says(codec, numbers):
    vector = event(codec, rise=0.8, fall=0.9, **numbers)
    decoder, offsets = codec.decoder, torch.zeros(1)
    shown = decoder.spectrograms(vector, offsets)
    sound = decoder.sound(vector, offsets)
    half = codec.config.window // 2
    heard = magnitudes(F.pad(sound, (half, 2 * half)), 1024, 256)[:, :, : shown.shape[2]]
    cosine = (shown * heard).sum() / (shown.norm() * heard.norm())
    # noise is its mean, and lobes of a gliding pitch are wider than those that are drawn
    assert cosine > (0.95 if numbers == {"voicing": 0.9} else 0.85)
    assert 0.8 < heard.norm() / shown.norm() < 1.2
    assert shown.norm().item() == pytest.approx(1.0, abs=0.15)
    assert torch.equal(decoder.render(vector, offsets).room, sound)


def test_overlapping_events_of_a_voice_do_not_beat(codec):
    """A steady voice of many events has the level of one: its parts are in phase."""
    rise = 2 * (6 - 1) / 11 - 1
    vector = event(codec, pitch=0.1, voicing=1.0, rise=rise, fall=rise).repeat(20, 1).numpy()
    events = EventSet(vector, np.arange(20) * 6, np.zeros(20), np.ones(20), 20 * 6 * 256, RATE, 256)
    steady = slice(10 * 256, 100 * 256)
    mixed = codec.decode(events)[steady]
    alone = sum(
        np.pad(sound, (onset, events.n_samples))[: events.n_samples]
        for onset, sound in zip(events.onsets, codec.render(events), strict=True)
    )[steady]

    def ripple(sound):
        level = np.sqrt(np.convolve(sound**2, np.ones(1024) / 1024, "valid"))
        return level.std() / level.mean()

    assert ripple(mixed) < ripple(alone) / 3


def test_a_voice_comes_back(codec):
    audio = sing((140, 200))
    sound = codec.decode(codec.encode(audio))
    theirs, ours = (magnitudes(torch.from_numpy(x)[None], 1024, 256) for x in (audio, sound))
    l2, l1 = shares_removed(theirs - ours, theirs, theirs.shape[2])
    assert l2 > 0.75 and l1 > 0.5


def test_blocks_of_any_size_give_the_same_events_and_sound(codec):
    audio = sing((140, 200), seconds=3.1, noise=0.01)
    whole = codec.encode(audio)
    blocks = [audio[start : start + 777] for start in range(0, len(audio), 777)]
    windows = list(codec.stream(blocks))
    again = join(windows)
    assert np.array_equal(again.vectors, whole.vectors) and len(again) > 20
    assert np.array_equal(again.frames, whole.frames)
    sound = codec.decode(whole)
    assert np.array_equal(np.concatenate(list(codec.play(windows))), sound)
    parts = np.zeros(len(sound), np.float32)
    for part in codec.parts(whole):
        parts[part.start : part.start + len(part.sound)] += part.sound
    assert np.abs(parts - sound).max() < 1e-6


def test_an_event_begins_where_the_one_before_peaks(codec):
    events = codec.encode(sing((140, 200), seconds=2.5, noise=0.01)).in_time_order()
    rise = np.rint(1 + 11 * (events.vectors[:, RISE] + 1) / 2).astype(int)
    assert np.array_equal((events.frames + rise)[:-1], events.frames[1:])
    assert np.array_equal(events.vectors[:-1, FALL], events.vectors[1:, RISE])


@pytest.mark.parametrize("n_samples", [1, 255, 256, 5000, 2**15, 2**15 + 1])
def test_silence_has_no_events_and_any_length_comes_back(codec, n_samples):
    silence = np.zeros(n_samples, np.float32)
    assert len(codec.encode(silence)) == 0
    assert np.array_equal(codec.decode(codec.encode(silence)), silence)
    noise = np.random.default_rng(0).normal(size=n_samples).astype(np.float32) * 0.1
    sound = codec.decode(codec.encode(noise))
    assert sound.shape == noise.shape and np.isfinite(sound).all()


def test_half_as_loud_is_the_same_at_half_the_gain(codec):
    audio = sing((140, 200), noise=0.003)
    loud, soft = codec.encode(audio), codec.encode(audio / 2)
    assert soft.vectors == pytest.approx(loud.vectors, abs=1e-3)
    assert soft.gains == pytest.approx(loud.gains / 2, rel=1e-3)


@pytest.mark.parametrize("n_events", [1, 8, 24])
def test_no_window_has_more_events_than_are_allowed(codec, n_events):
    options = EncodeOptions(n_events=n_events)
    windows = list(codec.stream([sing((140, 200), seconds=2.0, noise=0.05)], options))
    assert max(map(len, windows)) <= n_events and any(map(len, windows))


def test_left_and_right_share_a_voice(codec):
    audio = sing((140, 200))
    ((left, right), *_) = encode_stereo(codec, [np.stack([audio, audio / 4], 1)])
    assert len(left) and right.gains == pytest.approx(left.gains / 4, rel=1e-4)
    assert np.array_equal(left.vectors, right.vectors)


def test_magnitudes_alone_are_refused(codec):
    with pytest.raises(ValueError, match="use encode"):
        codec.decompose(torch.ones(1, codec.config.n_bins, codec.config.n_frames))


@pytest.mark.parametrize(
    "change, message",
    [
        ({"encoder": VoiceEncoderConfig(), "decoder": "harmonic"}, "go together"),
        ({"vector_size": 40}, "vector_size = 40"),
        ({"decoder": VoiceDecoderConfig(slope_frames=64)}, "slope_frames = 64"),
        ({"decoder": VoiceDecoderConfig(lowest_pitch=600.0)}, "lowest_pitch"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(change, message):
    tables = {name: dict(table) for name, table in TABLES.items()}
    for name, value in change.items():
        if name == "vector_size":
            tables["codec"][name] = value
        elif dataclasses.is_dataclass(value):
            tables[name] |= dataclasses.asdict(value)
        else:
            tables[name] = {"kind": value}
    with pytest.raises(ConfigError, match=message):
        parse_config(tables, "test")
    assert isinstance(parse_config(TABLES, "test")[0], CodecConfig)
    assert ENVELOPE == 5
