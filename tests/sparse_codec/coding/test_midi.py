"""Events as a sequencer shows them."""

import dataclasses
import io

import mido
import numpy as np
import pytest
import torch

from experiments.clips import shipped_clips
from sparse_codec import CodecConfig, EncodeOptions, EventSet, SparseCodec, midi_file
from sparse_codec.config import FrameEncoderConfig, ResonanceDecoderConfig

GREEDY = EncodeOptions(candidates=4, interim=0, refine=0)


def notes(data: bytes) -> list[tuple[float, float, int, int, int]]:
    """(start, end in seconds, channel, key, velocity) of each note in a file, by start."""
    now, sounding, read = 0.0, {}, []
    for message in mido.MidiFile(file=io.BytesIO(data)):
        now += message.time
        if message.type == "note_on":
            sounding[message.channel, message.note] = (now, message.velocity)
        elif message.type == "note_off":
            start, velocity = sounding.pop((message.channel, message.note))
            read.append((start, now, message.channel, message.note, velocity))
    return sorted(read)


def keys_of(data: bytes) -> set[tuple[int, int]]:
    """(channel, key) of all notes in a file."""
    return {(channel, key) for _, _, channel, key, _ in notes(data)}


def tones(codec: SparseCodec, keys: list[int]) -> EventSet:
    """Events that the shipped model finds in one tone after another, half a second apart."""
    time = np.arange(round(0.5 * codec.samplerate)) / codec.samplerate
    waves = [
        sum(np.sin(2 * np.pi * 440 * 2 ** ((key - 69) / 12) * h * time) / h**2 for h in range(1, 6))
        for key in keys
    ]
    audio = 0.2 * np.concatenate(waves) * np.tile(np.exp(-4 * time), len(keys))
    options = dataclasses.replace(GREEDY, n_events=len(keys))
    return codec.encode_segment(audio.astype(np.float32), options)


@pytest.mark.slow
def test_tones_become_notes_of_their_pitches(music_codec):
    keys = [57, 64, 60, 69]
    written = notes(midi_file(tones(music_codec, keys), music_codec))
    assert [key for _, _, _, key, _ in written] == keys
    np.testing.assert_allclose([start for start, *_ in written], [0, 0.5, 1, 1.5], atol=0.05)
    assert all(channel == 0 for _, _, channel, _, _ in written)


@pytest.mark.slow
def test_the_notes_of_a_clip_begin_with_its_events_and_tell_their_levels(music_codec):
    clip = shipped_clips()[0][2].audio(music_codec.samplerate)
    events = music_codec.encode_segment(clip, GREEDY)
    written = notes(midi_file(events, music_codec))
    starts = np.array([start for start, *_ in written])
    away = np.abs(starts[:, None] - events.seconds[None])
    assert len(written) > 0.8 * len(events)
    assert away.min(1).max() < 0.0005 and away.min(0).max() < 0.0005
    loudest = events.seconds[events.gains.argmax()]
    strokes = {velocity for start, *_, velocity in written if abs(start - loudest) < 0.0005}
    assert 127 in strokes and len({velocity for *_, velocity in written}) > 10
    longest = 3.1  # seconds that an event sounds, at most
    assert all(0 < end - start < longest for start, end, *_ in written)


def test_a_note_ends_where_the_next_one_of_its_key_begins(small_codec, tone):
    first = small_codec.encode_segment(tone, GREEDY).strongest(1)
    second = first.shift(0.1)
    one, other = notes(midi_file(first.merge(second), small_codec))
    assert [velocity for *_, velocity in (one, other)] == [127, 127]
    assert one[1] == pytest.approx(other[0], abs=1e-3)
    assert other[1] - other[0] > 0.1  # the last one sounds until its end


def test_noise_is_a_stroke_on_the_percussion_channel(small_codec, tone, monkeypatch):
    events = small_codec.encode_segment(tone, GREEDY)
    monkeypatch.setattr("sparse_codec.coding.midi.CLEAR", 1.1)  # then nothing is harmonic enough
    assert keys_of(midi_file(events, small_codec)) == {(9, 38)}


def test_a_decoder_without_pitches_gives_percussion_only():
    torch.manual_seed(0)
    decoder = ResonanceDecoderConfig(
        resonances=8,
        atoms=16,
        resonance_frames=4,
        attack_samples=1024,
        attack_knots=8,
        noise_filter_samples=16,
        hidden=8,
    )
    config = CodecConfig(
        segment_samples=2**15,
        n_events=2,
        horizon_frames=40,
        vector_size=8,
        gain="switch",
        input="linear",
        encode=GREEDY,
        encoder=FrameEncoderConfig(channels=8, dilations=(1,)),
        decoder=decoder,
    )
    codec = SparseCodec(config).eval()
    noise = np.random.default_rng(0).normal(size=2**15).astype(np.float32) * 0.1
    events = codec.encode_segment(noise)
    assert len(events) and keys_of(midi_file(events, codec)) == {(9, 38)}


def test_no_events_are_an_empty_track(small_codec, tone):
    none = small_codec.encode_segment(tone, GREEDY).strongest(0)
    assert notes(midi_file(none, small_codec)) == []


def test_events_of_another_codec_are_refused(music_codec, small_codec, tone):
    events = dataclasses.replace(small_codec.encode_segment(tone, GREEDY), hop=256)
    with pytest.raises(ValueError, match="decode them with the codec that made them"):
        midi_file(events, small_codec)


def test_of_events_that_begin_together_on_one_key_the_strongest_is_the_note(small_codec, tone):
    strong = small_codec.encode_segment(tone, GREEDY).strongest(1)
    other = strong.shift(0.5)
    both = strong.gain(-12).merge(strong).merge(other.gain(-12))
    velocities = [velocity for *_, velocity in notes(midi_file(both, small_codec))]
    assert velocities == [127, 64]  # half for 12 dB
