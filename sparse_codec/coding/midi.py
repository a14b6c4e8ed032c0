"""Events as a MIDI file, for a look in any sequencer.

An event that is mostly harmonics becomes a note at the pitch of its lowest audible partial. Any
other event, and every event of a decoder without pitches, becomes a stroke on the percussion
channel. The velocity shows the gain, and a note lasts until its event has died away or the next
one of its key begins.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass

import mido
import numpy as np
import torch
from torch import Tensor

from sparse_codec.codec import SparseCodec
from sparse_codec.events import EventSet
from sparse_codec.model.decoder import Decoder
from sparse_codec.model.harmonic_decoder import HarmonicDecoder

TICKS_PER_BEAT = 960
TICKS_PER_SECOND = 2 * TICKS_PER_BEAT  # at 120 beats a minute, the tempo of a file without one
PERCUSSION, STROKE = 9, 38  # the channel that is called 10, and its snare drum
CLEAR = 0.7  # share of an event's energy that is in its harmonics, if it has a pitch
AUDIBLE = 0.02  # energy of an audible partial, as a share of the strongest one's
HANN_LOBE = 1.5  # energy of a partial of level 1 in a frame
SOUNDING = 0.01  # energy of a frame in which an event still sounds, as a share of its loudest one's
BATCH = 64  # events read at a time


@dataclass(frozen=True)
class Note:
    """An event as MIDI knows it; start and end are in ticks."""

    channel: int
    key: int
    velocity: int
    start: int
    end: int


def midi_file(events: EventSet, codec: SparseCodec) -> bytes:
    """Return a MIDI file with the events' notes, within half a millisecond of their onsets.

    Raises: ValueError for events of another samplerate, hop or vector size than the codec's.
    """
    codec.check_events(events)
    messages = []
    for note in read_notes(events, codec):
        pressed = mido.Message(
            "note_on", channel=note.channel, note=note.key, velocity=note.velocity, time=note.start
        )
        released = mido.Message("note_off", channel=note.channel, note=note.key, time=note.end)
        messages += [pressed, released]
    # At one time "note_off" comes before "note_on".
    messages.sort(key=lambda message: (message.time, message.type))
    track, now = mido.MidiTrack(), 0
    for message in messages:
        track.append(message.copy(time=message.time - now))
        now = message.time
    file = io.BytesIO()
    mido.MidiFile(type=0, ticks_per_beat=TICKS_PER_BEAT, tracks=[track]).save(file=file)
    return file.getvalue()


def read_notes(events: EventSet, codec: SparseCodec) -> Iterator[Note]:
    """Yield the note of each event, the last one first.

    Of events that begin together on one key, only the strongest has a note.
    """
    keys, seconds = read_sounds(events, codec.decoder)
    velocities = read_velocities(events.gains)
    starts = np.rint(events.seconds * TICKS_PER_SECOND).astype(int)
    ends = starts + np.maximum(1, np.rint(seconds * TICKS_PER_SECOND).astype(int))
    next_start: dict[tuple[int, int], int] = {}
    for i in np.lexsort((-events.gains, -starts)).tolist():
        channel, key = (0, int(keys[i])) if keys[i] >= 0 else (PERCUSSION, STROKE)
        start, end = int(starts[i]), int(ends[i])
        following = next_start.get((channel, key), end)
        if following > start:
            next_start[channel, key] = start
            yield Note(channel, key, int(velocities[i]), start, min(end, following))


def read_velocities(gains: np.ndarray) -> np.ndarray:
    """Return velocities (N,) from 1 to 127, which the loudest event has.

    Source: 40 log10(velocity / 127) dB, General MIDI level 2.
    """
    loudest = max(gains.max(initial=0.0), np.finfo(np.float32).tiny)
    return np.rint(127 * np.sqrt(gains / loudest)).clip(1, 127).astype(int)


@torch.no_grad()
def read_sounds(events: EventSet, decoder: Decoder) -> tuple[np.ndarray, np.ndarray]:
    """Return MIDI pitches (N,), -1 where an event has no clear one, and durations (N,) in s."""
    frame_seconds = events.hop / events.samplerate
    if not isinstance(decoder, HarmonicDecoder):
        return np.full(len(events), -1), np.full(len(events), frame_seconds)
    keys, frames = [np.zeros(0, int)], [np.zeros(0)]
    for start in range(0, len(events), BATCH):
        batch = slice(start, start + BATCH)
        vectors, offsets = (
            torch.from_numpy(x[batch]).to(decoder.pace) for x in (events.vectors, events.offsets)
        )
        energies = part_energies(decoder, vectors, offsets)
        loudness = energies.sum(1)
        sounding = (loudness >= SOUNDING * loudness.amax(1, keepdim=True)).cpu().numpy()
        last = sounding.shape[1] - sounding[:, ::-1].argmax(1)
        keys.append(read_keys(decoder, vectors, energies.sum(2)).cpu().numpy())
        frames.append(last - decoder.lead - events.offsets[batch])
    return np.concatenate(keys), frame_seconds * np.concatenate(frames)


def part_energies(decoder: HarmonicDecoder, vectors: Tensor, offsets: Tensor) -> Tensor:
    """Return energies (E, P, L) of harmonics, then noise bands, in the frames of events."""
    _, levels = decoder.parts(vectors, offsets)
    lobe = levels.new_full((decoder.sizes.harmonics,), HANN_LOBE)
    return levels.pow(2) * torch.cat([lobe, decoder.bands.pow(2).sum(1)])[:, None]


def read_keys(decoder: HarmonicDecoder, vectors: Tensor, energies: Tensor) -> Tensor:
    """Return MIDI pitches (E,) of the lowest audible partials; -1 where an event has no clear one.

    energies: (E, P) of harmonics, then noise bands.
    """
    partials = energies[:, : decoder.sizes.harmonics]
    clear = partials.sum(1) >= CLEAR * energies.sum(1)
    lowest = (partials >= AUDIBLE * partials.amax(1, keepdim=True)).int().argmax(1, keepdim=True)
    bins = decoder.frequencies(vectors[:, :1]).gather(1, lowest)[:, 0]
    hertz = bins * decoder.config.samplerate / decoder.config.window
    keys = (69 + 12 * torch.log2(hertz / 440)).round().long().clamp(0, 127)
    return torch.where(clear, keys, -1)
