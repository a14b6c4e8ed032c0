"""Examples: everything is computed of a clip first, and shown then.

`conjure_example` collects the artifacts of `sounds.py` and `pictures.py` in an Example. From it
`example` and `figures_table` draw components, and compute nothing.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.clips import Clip
from experiments.scores import cut
from experiments.sections import covers, parts, pictures, pitches, sounds, timbre
from experiments.sections.event_names import Heard, event_names
from experiments.sections.pictures import Version
from report import (
    Artifact,
    Compare,
    Cover,
    Decomposition,
    EventRoll,
    Group,
    Mark,
    Opening,
    Part,
    Player,
    Prose,
    Row,
    Scale,
    Stretch,
    Table,
)
from sparse_codec import EventSet
from sparse_codec.evaluation.variations import VARIATIONS
from sparse_codec.evaluation.waveform_codecs import WAVEFORM_CODECS
from sparse_codec.outputs import printable

if TYPE_CHECKING:
    from sparse_codec import SparseCodec

RESIDUAL = "Residual"  # the label of what the events leave
STAGES = ("excitation", "resonance", "room")  # of the decoder
LISTEN_FOR = {  # said above the figures of an example
    "versions": "Press a version, or its number, while it plays. **Listen for** the beginnings of"
    " sounds, which the reconstruction has softer, and for what the residual still holds: it keeps"
    " its level, all others are equally loud. Every window of the excerpt is encoded by itself; a"
    " seam should not be heard.",
    "decomposition": "**Listen for** the step at which you know what it is: the first events take"
    " most. Step through, and hear what is left and what was taken off.",
    "variations": "The same events with vectors drawn anew between the smallest and the largest"
    " number in this example; at times drawn anew; and with every vector moved in one direction,"
    " but for the pitch. **Listen for** what stays: first the rhythm, then the sounds.",
    "events": "Press an event to hear it; move it, make it louder, mute it, give it another sound,"
    " and take the edit along as a sound or as JSON. **Listen for** notes that are made of several"
    " events.",
}
COVER_SPAN = pitches.Span(36, 96)  # of a cover whose events have no pitch
# Seconds of the files of sounds: readers wait for one of them, for a few, or for all.
ONE_BY_ONE, A_FEW, TOGETHER = 4.0, 12.0, 30.0
LAYOUT_SEED = 7  # of the t-SNE and of the projection to colours


@dataclass(frozen=True)
class Example:
    """Everything that is computed of one clip."""

    clip: Clip
    events: EventSet
    shares: list[list[float]]  # (L2, L1) removed after each event
    figures: dict[str, Any]  # see `sounds.figures`
    demos: Demos | None  # None if the clip holds no events


@dataclass(frozen=True)
class Demos:
    """The sounds and pictures of a clip that holds events."""

    roll: Roll
    versions: list[Version]  # original, reconstruction, residual, plain codecs
    film: Artifact
    poster: Artifact
    boxes: Artifact  # of the events in the film, see `pictures.boxes`
    variations: dict[str, Artifact]  # sounds, by VARIATIONS


@dataclass(frozen=True)
class Roll:
    """The sounds of single events, and the places of their marks."""

    parts: list[Stretch]  # what each event adds to the mix
    alone: list[Stretch] | None  # each event as it sounds by itself, if that is stored
    compared: Artifact  # see `parts.split`
    mix: Artifact  # the sum of the parts
    layout: dict[str, Any]  # see `pictures.layout`
    vectors: Artifact  # a picture
    choices: Artifact | None  # the sounds that events may have instead, see `report.EventRoll`
    other_sounds: list[Artifact]  # the files with those that `choices` names
    names: list[str]  # of the events, as a person would say them
    scale: Scale | None  # by pitch, if anything has one
    span: pitches.Span | None  # of the scale


# ---- compute


def conjure_example(clip: Clip, codec: SparseCodec) -> Example:
    """Compute everything that the article shows of one clip."""
    found = sounds.clip_events(clip, codec)
    events = sounds.events_of(found)
    shares = sounds.shares(clip, found, codec)
    demos = _conjure_demos(clip, found, codec) if len(events) else None
    # Values come last: until one is asked for, everything is computed side by side.
    figures = sounds.figures(sounds.original(clip, codec), sounds.rendered(found, codec), found)
    return Example(clip, events, shares.value, figures.value, demos)


def _conjure_demos(clip: Clip, found: Artifact, codec: SparseCodec) -> Demos:
    varied = {kind: sounds.variation(found, kind, codec) for kind in VARIATIONS}
    demos = Demos(
        versions=_conjure_versions(clip, found, codec),
        film=pictures.film(clip, found, codec),
        poster=pictures.film_poster(clip, found, codec),
        boxes=pictures.boxes(clip, found, codec),
        variations={kind: sounds.rendered(events, codec) for kind, events in varied.items()},
        roll=_conjure_roll(clip, found, TOGETHER, codec),  # is waited for, so it comes last
    )
    return dataclasses.replace(demos, roll=_conjure_other_sounds(demos.roll, found, codec))


def _conjure_roll(clip: Clip, found: Artifact, seconds: float, codec: SparseCodec) -> Roll:
    """Compute a roll whose events have one sound each: their parts, in files of so many seconds."""
    events, mix = sounds.events_of(found), sounds.rendered(found, codec)
    heard, split = pitches.heard(found, codec), parts.split(found, seconds, codec)
    keys = [key for key, _ in heard.value]
    notes = cut(clip.notes(), 0.0, events.n_samples / events.samplerate)
    span, stretches = pitches.span_of(keys, notes), sounds.stretches(split)
    return Roll(
        parts=stretches,
        alone=None,
        compared=split["comparison"],
        mix=mix,
        layout=pictures.layout(found, LAYOUT_SEED).value,
        vectors=pictures.vectors_picture(found),
        choices=None,
        other_sounds=[],
        names=_names(events, heard.value, stretches),
        scale=pitches.scale_of(span, keys, notes, mix) if span else None,
        span=span,
    )


def _conjure_other_sounds(roll: Roll, found: Artifact, codec: SparseCodec) -> Roll:
    """Add what the events of a roll sound like alone, and what they may sound like instead."""
    events, span = sounds.events_of(found), roll.span
    drawn = sounds.variation(found, "random vectors", codec)
    heard, steered_keys = pitches.heard(found, codec), pitches.steered_keys(found, codec)
    others = pitches.heard(drawn, codec)
    looks = pictures.looks(found, {"random vectors": drawn}, LAYOUT_SEED)
    # How many files these are is waited for.
    alone = sounds.stretches(sounds.event_sounds(found, ONE_BY_ONE, codec))
    random = sounds.event_sounds(drawn, TOGETHER, codec)
    steered = sounds.steered(found, ONE_BY_ONE, codec)
    places = span and {
        "sets": {"random vectors": pitches.places([key for key, _ in others.value], span)},
        "steps": {event: pitches.places(rows, span) for event, rows in steered_keys.value.items()},
    }
    return dataclasses.replace(
        roll,
        alone=alone,
        choices=sounds.choices(
            {"random vectors": [sound.key for sound in sounds.stretches(random)]},
            _steps(sounds.moves(events), sounds.stretches(steered)),
            looks,
            timbre.directions(steered, steered_keys),
            places,
        ),
        other_sounds=[*sounds.files(random), *sounds.files(steered)],
        names=_names(events, heard.value, alone),
    )


def _names(events: EventSet, heard: list[tuple[int, float]], alone: list[Stretch]) -> list[str]:
    """Return what a person would call each event."""
    levels = [sound.peak for sound in alone]
    silent = min((level for level in levels if level is not None), default=0.0)
    return event_names(
        [
            Heard(key, start, seconds, silent if level is None else level)
            for (key, seconds), start, level in zip(
                heard, events.seconds.tolist(), levels, strict=True
            )
        ]
    )


def _steps(
    moves: list[tuple[int, int, int]], steered: list[Stretch]
) -> dict[str, list[list[str | None]]]:
    """Return for each event that is steered a row for each direction, in it a sound for each step.

    It is None where the event stays.
    """
    keys = {move: sound.key for move, sound in zip(moves, steered, strict=True)}
    return {
        str(event): [
            [keys.get((event, direction, step)) for step in sounds.STEPS]
            for direction in range(sounds.DIRECTIONS)
        ]
        for event in dict.fromkeys(event for event, _, _ in moves)
    }


def _conjure_versions(clip: Clip, found: Artifact, codec: SparseCodec) -> list[Version]:
    original, n_events = sounds.original(clip, codec), len(sounds.events_of(found))
    plain: list[Version] = []
    for name in WAVEFORM_CODECS:
        kilobits = sounds.bits_otherwise(original, name).value / 1000
        plain.append((at_rate(name, kilobits), sounds.coded_otherwise(original, name), None))
    with_pictures = pictures.versions(
        {
            "Original": original,
            "Reconstruction": sounds.rendered(found, codec),
            RESIDUAL: sounds.residual_sound(clip, found, n_events, codec),
        }
    )
    return with_pictures + plain


def _conjure_stages(found: Artifact, codec: SparseCodec) -> list[Version]:
    """Compute the loudest event after each stage of the decoder."""
    loudest = int(np.argmax(sounds.events_of(found).gains))
    return pictures.versions(
        {stage.capitalize(): sounds.stage_sound(found, loudest, stage, codec) for stage in STAGES}
    )


# ---- show


def streaming(clip: Clip, codec: SparseCodec) -> Compare:
    """The long clip and its reconstruction, with their spectrograms."""
    found = sounds.clip_events(clip, codec)
    versions = pictures.versions(
        {"Original": sounds.original(clip, codec), "Reconstruction": sounds.rendered(found, codec)}
    )
    title = f"{clip.title}, in {len(sounds.events_of(found))} events"
    return Compare(title, versions, source(clip))


def event_by_event(clip: Clip, codec: SparseCodec) -> list[Part]:
    """A card that leads to the roll of the long clip, on a page of its own: it has many events."""
    found = sounds.clip_events(clip, codec)
    events = sounds.events_of(found)
    if not len(events):
        return []
    roll = _event_roll(clip, events, _conjure_roll(clip, found, A_FEW, codec))
    roll = dataclasses.replace(roll, vectors=None)  # rows of so many would be lines
    description = f"Its {len(events)} events, to hear, move and mute."
    whole = streaming(clip, codec)
    _, _, picture = whole.items[0]  # which the article shows already
    title = f"All {clip.seconds:.0f} seconds, event by event"
    name = f"{_page_name(clip)}-events"
    return [Part(name, title, description, [whole, roll], picture, card=True)]


def stages(found: Artifact, codec: SparseCodec) -> Compare:
    """The loudest event after each stage of the decoder."""
    title = (
        "The loudest event after each of the decoder's stages; the last is how it is heard alone."
    )
    return Compare(title, _conjure_stages(found, codec), plain=True)


def nearest_first(examples: list[Example]) -> list[Example]:
    """Return examples in another order: those come first whose sound is nearest to the original."""
    return sorted(examples, key=lambda example: example.figures["distance"])


def example(number: int, computed: Example, card: bool = False) -> Part | Group:
    """All that is shown of one clip, with a page of its own; as a card, only there."""
    clip, demos, n_events = computed.clip, computed.demos, len(computed.events)
    title = f"Example\u00a0{number}: {clip.title}"
    if demos is None:
        return Group([Prose(f"### {title}\n\nThis clip holds no events.")])
    roll = _event_roll(clip, computed.events, demos.roll)
    components = [
        Prose(LISTEN_FOR["versions"]),
        _versions(clip, demos.versions),
        Prose("#### Decomposition\n\n" + LISTEN_FOR["decomposition"]),
        _decomposition(demos, roll, computed.shares),
        Prose("#### Variations\n\n" + LISTEN_FOR["variations"]),
        Row([Player(sound, kind.capitalize()) for kind, sound in demos.variations.items()]),
        Prose("#### Events\n\n" + LISTEN_FOR["events"]),
        roll,
    ]
    description = (
        f"{clip.title}: the original, its reconstruction from {n_events} events, and every event to"
        " listen to."
    )
    _, _, picture = demos.versions[0]  # of the original
    return Part(_page_name(clip), title, description, components, picture, card, demos.roll.mix)


def _page_name(clip: Clip) -> str:
    return printable(clip.path.stem).replace(".", "-")


def at_rate(name: str, kilobits: float) -> str:
    """Return the name of a plain codec with the rate that it had in the place of its setting."""
    return f"{name.partition(',')[0]} at {kilobits:.1f} kb/s"


def source(clip: Clip) -> str:
    """A line that says where a clip is from."""
    return f"Source: {clip.source} ({clip.licence})."


def _versions(clip: Clip, versions: list[Version]) -> Compare:
    title = (
        "The excerpt, what the events make of it, what they leave, and plain codecs at their lowest"
        " rates."
    )
    return Compare(title, versions, source(clip), differences=[RESIDUAL])


def _decomposition(demos: Demos, roll: EventRoll, shares: list[list[float]]) -> Decomposition:
    removed = [min(1.0, max(0.0, l2)) for l2, _ in shares]
    caption = (
        "The residual's spectrogram, event by event, and the share of energy (L2) that is removed:"
        f" {100 * removed[-1]:.0f} % by all {len(removed)}. What is left is heard as the sound's"
        " spectrogram less those of the events, with the sound's phases."
    )
    _, original, _ = demos.versions[0]
    return Decomposition(
        demos.film, demos.poster, roll, original, caption, removed, demos.boxes.value
    )


def _event_roll(clip: Clip, events: EventSet, roll: Roll) -> EventRoll:
    """Every event as a mark that plays it: time across, 1-D t-SNE up, colour by a projection."""
    loudness = events.gains / max(events.gains.max(), 1e-9)
    marks = [
        Mark(
            start=int(events.onsets[i]),
            y=roll.layout["heights"][i],
            radius=float(np.sqrt(loudness[i])),
            colour=roll.layout["colours"][i],
            sound=roll.parts[i],
            alone=roll.alone[i] if roll.alone else None,
            lead=compared["lead"],
            name=roll.names[i],
        )
        for i, compared in enumerate(roll.compared.value)
    ]
    return EventRoll(
        title=f"{clip.title}: its {len(marks)} events",
        marks=marks,
        axis="similar sounds lie near each other (1-D t-SNE)",
        mix=roll.mix,
        vectors=roll.vectors,
        choices=roll.choices,
        sounds=roll.other_sounds,
        slack=events.hop,
        scale=roll.scale,
    )


def opening(examples: list[Example], kind: str) -> list[Opening]:
    """Return the figure that opens an article of this kind of sound: its first example."""
    able = [example for example in examples if example.demos]
    if not able:
        return []
    first = able[0]
    assert first.demos
    roll = _event_roll(first.clip, first.events, first.demos.roll)
    _, original, _ = first.demos.versions[0]
    height = "pitch" if roll.scale else "what it sounds like"
    notes = "; outlines are the notes of the score" if roll.scale and roll.scale.outlines else ""
    note = (
        f"{first.clip.title}. A circle is an event: height is {height}, size is loudness, and what "
        f"has like colours sounds alike{notes}."
    )
    return [Opening(f"This {kind} is {len(first.events)} events", roll, original, note)]


def cover(examples: list[Example]) -> list[Cover]:
    """Return what stands for the article elsewhere: its first event roll, and the sound of that."""
    rolls = ((x.clip, x.events, x.demos.roll) for x in examples if x.demos)
    found = next(rolls, None)
    if found is None:
        return []
    roll = _event_roll(*found)
    length, scale = roll.mix.info["n_samples"], roll.scale
    lane = scale.base if scale else 0.0
    span = found[2].span or COVER_SPAN
    places = [scale.place(h) for h in scale.heights] if scale else [m.y for m in roll.marks]
    marks = [
        [mark.start / length, place, mark.radius, mark.colour]
        for mark, place in zip(roll.marks, places, strict=True)
    ]
    return [Cover(covers.roll(roll.mix, [span.low, span.high], lane, marks, roll.title), roll.mix)]


def figures_table(examples: list[Example]) -> Table:
    """One row an example."""
    rows = []
    for example in examples:
        facts = example.figures
        l2, l1 = example.shares[-1] if example.shares else (0.0, 0.0)
        rows.append(
            [
                example.clip.title,
                f"{l2:.2f}",
                f"{l1:.2f}",
                f"{facts['distance']:.1f} dB",
                f"{facts['silence']:.1f} dB",
                str(facts["events"]),
                f"{facts['samples_to_numbers']:.0f}",
                f"{facts['bits_per_second']:.0f}",
            ]
        )
    headers = [
        *("Example", "L2 removed", "L1 removed", "Distance", "Silence", "Events"),
        *("Samples per number", "Bits/s"),
    ]
    return Table(headers, rows, "Each example, in figures.")
