"""Names of events as a person would say them: "A4, at 0.30 s, long, loud"."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

NOTES = ("C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B")
NO_KEY = -1  # in place of a MIDI pitch, where there is no clear one
UNPITCHED = "No pitch"
LONGER = 1.5  # times the usual length of the clip's events, and more, is long; the inverse is short
LOUDER = 6.0  # dB above their usual level, and more, is loud; as much below is soft


@dataclass(frozen=True)
class Heard:
    """What one hears of an event."""

    key: int  # of MIDI, or NO_KEY
    start: float  # seconds after the clip's beginning; may lie before it
    seconds: float  # how long it sounds
    level: float  # dB, relative to whatever is the same for all events


def note_name(key: int) -> str:
    """Return the name of a MIDI pitch, such as "A4" for 69; "No pitch" for -1."""
    return UNPITCHED if key == NO_KEY else f"{NOTES[key % 12]}{key // 12 - 1}"


def event_names(events: Sequence[Heard]) -> list[str]:
    """Return a name for each event of a clip.

    Long and short, loud and soft, are meant relative to the usual event of the clip, which is the
    one in the middle by length, or by level. What is usual is not said, nor that an event has no
    pitch where no event has one.
    """
    if not events:
        return []
    usual_seconds = float(np.median([event.seconds for event in events]))
    usual_level = float(np.median([event.level for event in events]))
    pitched = any(event.key != NO_KEY for event in events)
    return [_name(event, usual_seconds, usual_level, pitched) for event in events]


def _name(event: Heard, usual_seconds: float, usual_level: float, pitched: bool) -> str:
    words = [
        *([note_name(event.key)] if pitched else []),
        f"at {event.start:.2f} s".replace("-", "−"),
    ]
    if event.seconds >= LONGER * usual_seconds:
        words.append("long")
    elif event.seconds <= usual_seconds / LONGER:
        words.append("short")
    if event.level >= usual_level + LOUDER:
        words.append("loud")
    elif event.level <= usual_level - LOUDER:
        words.append("soft")
    return ", ".join(words)
