"""The sections that articles are made of: demos put together into what a cell shows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from experiments.clips import Clip
from experiments.sections import demos, pictures
from report import (
    Artifact,
    BibTeX,
    Compare,
    Decomposition,
    EventRoll,
    Group,
    Mark,
    Part,
    Player,
    Prose,
    Row,
    Table,
)
from sparse_codec import SparseCodec
from sparse_codec.evaluation.variations import VARIATIONS
from sparse_codec.evaluation.waveform_codecs import WAVEFORM_CODECS

TITLES = {
    "music": "the codec for music",
    "speech": "the codec for speech",
    "ablations": "what was tried, and what each part is worth",
}
STAGES = ("excitation", "resonance", "room")  # of the decoder
STEPS_HEARD = (1, 2, 4, 8, 16, 32)  # after so many events the residual can be heard
LAYOUT_SEED = 7  # of the t-SNE and of the projection to colours


def streaming(clip: Clip, codec: SparseCodec) -> Compare:
    """The long clip and its reconstruction, with their spectrograms."""
    events = demos.event_data(demos.encoded(clip, codec), "events")
    sounds = {
        "Original": demos.original(clip, codec),
        "Reconstruction": demos.rendered(events, codec),
    }
    return compare(f"{clip.title}, in {len(demos.events_of(events))} events", sounds, source(clip))


def how_to_listen() -> Prose:
    """What every example lets a reader do."""
    return Prose(
        """
Each example lets you

- **compare**: press a version, or its number on the keyboard, and the sound changes without a gap. Versions are matched
  in loudness unless you switch that off; the blind test asks whether you hear a difference at all.
- **take apart**: step through the decomposition, see what is left, hear what was taken off.
- **vary**: the same events with vectors drawn anew between the smallest and the largest number in this example; the
  original vectors at times drawn anew; and every vector moved in the same direction, by adding one small random
  vector to all, but for the pitch.
- **put together again**: hear any event, move it, make it louder, mute it, give it another sound, and take the edit
  along as a sound or as JSON.

Every example has a page of its own, to be shared.
"""
    )


def example(number: int, clip: Clip, codec: SparseCodec) -> Part | Group:
    """All that the article shows of one clip, with a page of its own."""
    title = f"Example\u00a0{number}: {clip.title}"
    half = demos.event_data(demos.encoded(clip, codec), "first half")
    n_events = len(demos.events_of(half))
    if not n_events:
        return Group([Prose(f"### {title}\n\nThe first half of this clip holds no events.")])
    roll = event_roll(clip, half, codec)
    components = [
        _coded_half(clip, half, codec),
        _whole_clip(clip, codec),
        Prose("#### One event, stage by stage"),
        stages(half, codec),
        Prose("#### Decomposition"),
        _decomposition(clip, half, roll, codec),
        Prose(
            "#### Variations\n\nThe same events with other vectors, at other times, and with every vector moved in one"
            " direction."
        ),
        Row([Player(*_variation(half, kind, codec)) for kind in VARIATIONS]),
        Prose("#### Events"),
        roll,
    ]
    described = f"{clip.title}: the original, its reconstruction from {n_events} events, and every event to listen to."
    picture = pictures.spectrogram(demos.first_half(clip, codec), "original, coded half")
    return Part(clip.path.stem.replace(".", "-"), title, described, components, picture)


def source(clip: Clip) -> str:
    """A line that says where a clip is from."""
    return f"Source: {clip.source} ({clip.licence})."


def compare(
    title: str,
    sounds: dict[str, Artifact],
    note: str = "",
    unseen: dict[str, Artifact] | None = None,
) -> Compare:
    """Versions to switch between, each with its spectrogram, but for those that are `unseen`."""
    seen = [
        (label, sound, pictures.spectrogram(sound, label.lower()))
        for label, sound in sounds.items()
    ]
    return Compare(
        title, [*seen, *((label, sound, None) for label, sound in (unseen or {}).items())], note
    )


def _coded_half(clip: Clip, half: Artifact, codec: SparseCodec) -> Compare:
    original, n_events = demos.first_half(clip, codec), len(demos.events_of(half))
    sounds = {
        "Original, coded half": original,
        "Reconstruction": demos.rendered(half, codec),
        "Residual": demos.residual_sound(clip, half, n_events, codec),
    }
    others = {
        f"{name.partition(',')[0]} at {demos.bits_otherwise(original, name).value / 1000:.1f} kb/s": (
            demos.coded_otherwise(original, name)
        )
        for name in WAVEFORM_CODECS
    }
    title = "The coded half, what the events make of it, what they leave, and plain codecs at their lowest rates."
    return compare(title, sounds, source(clip), others)


def _whole_clip(clip: Clip, codec: SparseCodec) -> Compare:
    events = demos.event_data(demos.encoded(clip, codec), "events")
    sounds = {
        "Original, whole": demos.original(clip, codec),
        "By streaming": demos.rendered(events, codec),
    }
    return compare("The whole excerpt, coded window by window.", sounds)


def stages(half: Artifact, codec: SparseCodec) -> Compare:
    """The loudest event after each stage."""
    loudest = int(np.argmax(demos.events_of(half).gains))
    sounds = {
        stage.capitalize(): demos.stage_sound(half, loudest, stage, codec) for stage in STAGES
    }
    title = "The loudest event after each of the decoder's stages; the last is how it is heard."
    return replace(compare(title, sounds), plain=True)


def _variation(half: Artifact, kind: str, codec: SparseCodec) -> tuple[Artifact, str]:
    return demos.rendered(demos.variation(half, kind, codec), codec), kind.capitalize()


def _decomposition(
    clip: Clip, half: Artifact, roll: EventRoll, codec: SparseCodec
) -> Decomposition:
    shares = demos.shares(clip, half, codec).value
    steps = [n for n in STEPS_HEARD if n <= len(shares)]
    left = {n: demos.residual_sound(clip, half, n, codec) for n in steps}
    told = ", ".join(f"{100 * shares[n - 1][0]:.0f} % after {n}" for n in steps)
    caption = f"The residual's spectrogram, event by event. Energy removed (L2): {told}."
    return Decomposition(
        pictures.film(clip, half, codec), pictures.film_poster(clip, codec), roll, left, caption
    )


def event_roll(clip: Clip, half: Artifact, codec: SparseCodec) -> EventRoll:
    """Every event as a mark that plays it: time across, 1-D t-SNE up, colour by a random projection."""
    events, layout = demos.events_of(half), pictures.layout(half, LAYOUT_SEED).value
    loudness = events.gains / max(events.gains.max(), 1e-9)
    sounds = [demos.event_sound(half, i, codec) for i in range(len(events))]
    marks = [
        Mark(
            int(events.onsets[i]),
            layout["heights"][i],
            float(np.sqrt(loudness[i])),
            layout["colours"][i],
            sound,
        )
        for i, sound in enumerate(sounds)
    ]
    choices, others = _choices(half, sounds, codec)
    return EventRoll(
        title=f"{clip.title}: its {len(marks)} events",
        marks=marks,
        axis="similar sounds lie near each other (1-D t-SNE)",
        mix=demos.rendered(half, codec),
        vectors=pictures.vectors_picture(half),
        choices=choices,
        sounds=others,
    )


def _choices(
    half: Artifact, sounds: list[Artifact], codec: SparseCodec
) -> tuple[Artifact, list[Artifact]]:
    """The published random vectors for every event, and steps along principal directions for the strongest."""
    drawn = demos.variation(half, "random vectors", codec)
    random = [demos.event_sound(drawn, i, codec) for i in range(len(sounds))]
    steps = {
        str(i): [
            [
                demos.steered(half, i, direction, step, codec) if step else None
                for step in demos.STEPS
            ]
            for direction in range(demos.DIRECTIONS)
        ]
        for i in demos.strongest(demos.events_of(half))
    }
    steered = [sound for rows in steps.values() for row in rows for sound in row if sound]
    return demos.choices({"random vectors": random}, steps), random + steered


def figures_table(clips: list[Clip], codec: SparseCodec) -> Table:
    """One row an example."""
    rows = []
    for clip in clips:
        encoding = demos.encoded(clip, codec)
        half = demos.event_data(encoding, "first half")
        facts = demos.figures(
            demos.first_half(clip, codec), demos.rendered(half, codec), half
        ).value
        l2, l1 = (demos.shares(clip, half, codec).value or [(0.0, 0.0)])[-1]
        distances = f"{facts['distance']:.1f} dB", f"{facts['silence']:.1f} dB"
        ratio, bits = f"{facts['samples_to_numbers']:.0f}", f"{facts['bits_per_second']:.0f}"
        rows.append(
            [clip.title, f"{l2:.2f}", f"{l1:.2f}", *distances, str(facts["events"]), ratio, bits]
        )
    headers = [
        "Example",
        "L2 removed",
        "L1 removed",
        "Distance",
        "Silence",
        "Events",
        "Samples per number",
        "Bits/s",
    ]
    return Table(headers, rows, "The coded half of each example, in figures.")


def word_table(words: dict | None) -> Table | Prose:
    """Word errors of a recogniser, as `sparse_codec words` stored them with the checkpoint."""
    if words is None:
        return Prose(
            "No word errors were measured for this checkpoint: run `python -m sparse_codec words`."
        )
    rows = [
        [n, f"{100 * rate:.0f} %", f"{words['estoi'][n]:.2f}"]
        for n, rate in words["word error rate"].items()
    ]
    caption = (
        f"{words['clips']} clips of LJ Speech, {words['words']} words: word errors of"
        " PocketSphinx with the model it carries, and ESTOI, the extended short-time objective intelligibility."
    )
    return Table(["Sound", "Word errors", "ESTOI"], rows, caption)


def training_facts(codec: SparseCodec, shipped: str) -> Prose:
    """How a model was trained, from its checkpoint; `shipped` says more of a shipped one."""
    card = codec.card
    if not card:
        return Prose("How this model was trained is not said in its checkpoint.")
    weights = card["training"]
    text = (
        f"The model was trained for {card['hours']:.1f} hours ({card['steps']:,} steps) on {card['train_recordings']}"
        f" recordings. {shipped}\n\n"
        "Each step learns from two things. One is a greedy step on a batch of residuals, drawn from a pool of segments"
        " at all depths of their decomposition: its loss rewards the share of energy that a candidate removes, its"
        " cosine with the residual and the L1 norm removed, prices whatever is subtracted below zero, and teaches the"
        f" score to predict the share. The other is {weights.get('scenes', 0)} scenes, segments with all their events:"
        " the events are moved a little at every step, as they are when a clip is encoded, and the decoder learns from"
        " how near they come together. The published system uses the L1 norm together with an adversarial loss, in"
        " which a discriminator hears the sum of half of the events. The training script has that too, and a price on"
        f" the number of events; {_extras(weights)}. Of the checkpoints of a run the one is kept that does best on a"
        " dozen held-out segments: no weight was learnt from held-out works, but this choice saw some of them."
    )
    return Prose(text)


def _extras(weights: dict) -> str:
    used = {"an adversarial": weights["adversarial"], "a sparsity": weights.get("sparsity", 0.0)}
    told = " and ".join(f"{name} weight of {weight:g}" for name, weight in used.items() if weight)
    return f"this model was trained with {told}" if told else "for this model neither was used"


def see_also(article: str, articles: list[str]) -> Prose:
    """Links to the other articles of the site, if there are any."""
    others = [
        f"[{title}]({name}.html)"
        for name, title in TITLES.items()
        if name in articles and name != article
    ]
    return Prose(f"On this site too: {' and '.join(others)}." if others else "")


def bibtex() -> BibTeX:
    """The entry of the article whose system this is."""
    return BibTeX(
        """@misc{vinyard2025sparse,
  author = {Vinyard, John},
  title = {Toward a Sparse Interpretable Audio Codec},
  year = {2025},
  eprint = {2505.05654},
  archivePrefix = {arXiv},
  url = {https://blog.cochlea.xyz/sparse-interpretable-audio-codec-paper.html}
}"""
    )
