"""The sections that articles are made of: demos put together into what a cell shows."""

from __future__ import annotations

import numpy as np

from experiments import demos
from experiments.clips import Clip
from report import (
    Artifact,
    BibTeX,
    Compare,
    EventRoll,
    FilmStrip,
    Group,
    Image,
    Mark,
    Player,
    Prose,
    Row,
    Table,
)
from sparse_codec import SparseCodec
from sparse_codec.variations import VARIATIONS

TITLES = {
    "music": "the codec for music",
    "speech": "the codec for speech",
    "ablations": "what was tried, and what each part is worth",
}
LAYOUT_SEED = 7  # of the t-SNE and of the projection to colours


def streaming(clip: Clip, codec: SparseCodec) -> Compare:
    """The long clip and its reconstruction, with their spectrograms."""
    events = demos.event_data(demos.encoded(clip, codec), "events")
    sounds = {"Original": demos.original(clip, codec), "Reconstruction": demos.rendered(events, codec)}
    return _compare(f"{clip.title}, in {len(demos.events_of(events))} events", sounds, clip, _source(clip))


def example(number: int, clip: Clip, codec: SparseCodec) -> Group:
    """All that the article shows of one clip."""
    heading = f"### Example {number}: {clip.title}"
    encoding = demos.encoded(clip, codec)
    half, whole = demos.event_data(encoding, "first half"), demos.event_data(encoding, "events")
    if not len(demos.events_of(half)):
        return Group([Prose(f"{heading}\n\nThe first half of this clip holds no events.")])
    coded = {
        "Original, coded half": demos.first_half(clip, codec),
        "Reconstruction": demos.rendered(half, codec),
        "Residual": demos.residual_sound(clip, half, codec),
    }
    streamed = {"Original, whole": demos.original(clip, codec), "By streaming": demos.rendered(whole, codec)}
    return Group(
        [
            Prose(heading),
            _compare("The coded half, what the events make of it, and what they leave.", coded, clip, _source(clip)),
            _compare("The whole excerpt, coded window by window.", streamed, clip),
            Prose("#### One event, stage by stage"),
            _stages(half, clip, codec),
            Prose("#### Decomposition\n\nEach frame of the film is what is left after one more event."),
            _film(clip, half, codec),
            Prose(
                "#### Variations\n\nThe same events with one thing changed: vectors drawn anew between the smallest and"
                " the largest number in this example, at the original times and gains; the original vectors at times"
                " drawn anew; and every vector moved in the same direction, by adding one small random vector to all,"
                " but for the pitch."
            ),
            Row([Player(*_variation(half, kind, codec)) for kind in VARIATIONS]),
            Prose("#### Events"),
            Image(demos.vectors_picture(half), f"The {len(demos.events_of(half))} event vectors of this example."),
            event_roll(clip, half, codec),
        ]
    )


def _source(clip: Clip) -> str:
    return f"Source: {clip.source} ({clip.licence})."


def _compare(title: str, sounds: dict[str, Artifact], clip: Clip, note: str = "") -> Compare:
    """Sounds beside each other, each with its spectrogram."""
    pictures = {label: demos.spectrogram(sound, f"{clip.title}: {label.lower()}") for label, sound in sounds.items()}
    return Compare(title, [(label, sound, pictures[label]) for label, sound in sounds.items()], note)


def _stages(half: Artifact, clip: Clip, codec: SparseCodec) -> Compare:
    loudest = int(np.argmax(demos.events_of(half).gains))
    stages = ("excitation", "resonance", "room")
    sounds = {stage.capitalize(): demos.stage_sound(half, loudest, stage, codec) for stage in stages}
    return _compare("The loudest event after each of the decoder's stages; the last is how it is heard.", sounds, clip)


def _variation(half: Artifact, kind: str, codec: SparseCodec) -> tuple[Artifact, str]:
    return demos.rendered(demos.variation(half, kind, codec), codec), kind.capitalize()


def _film(clip: Clip, half: Artifact, codec: SparseCodec) -> FilmStrip:
    pictures = demos.film(clip, half, codec), demos.film_poster(clip, codec)
    return FilmStrip(*pictures, _shares_caption(demos.shares(clip, half, codec).value))


def _shares_caption(shares: list[tuple[float, float]]) -> str:
    marks = [n for n in (1, 4, 8, 16, 32) if n <= len(shares)]
    told = ", ".join(f"{100 * shares[n - 1][0]:.0f} % after {n}" for n in marks)
    return f"The residual's spectrogram, event by event. Energy removed (L2): {told}."


def event_roll(clip: Clip, half: Artifact, codec: SparseCodec) -> EventRoll:
    """Every event as a mark that plays it: time across, 1-D t-SNE up, colour by a random projection."""
    events, layout = demos.events_of(half), demos.layout(half, LAYOUT_SEED).value
    loudness = events.gains / max(events.gains.max(), 1e-9)
    marks = [
        Mark(
            x=float(events.seconds[i]),
            y=layout["heights"][i],
            radius=float(np.sqrt(loudness[i])),
            colour=layout["colours"][i],
            label=f"event {i + 1}, at {events.seconds[i]:.2f} seconds",
            sound=demos.event_sound(half, i, codec),
        )
        for i in range(len(events))
    ]
    return EventRoll(f"Events of {clip.title}", marks, "similar sounds lie near each other (1-D t-SNE)")


def figures_table(clips: list[Clip], codec: SparseCodec) -> Table:
    """One row an example."""
    rows = []
    for clip in clips:
        encoding = demos.encoded(clip, codec)
        half = demos.event_data(encoding, "first half")
        facts = demos.figures(demos.first_half(clip, codec), demos.rendered(half, codec), half).value
        l2, l1 = (demos.shares(clip, half, codec).value or [(0.0, 0.0)])[-1]
        distances = f"{facts['distance']:.1f} dB", f"{facts['silence']:.1f} dB"
        ratio, bits = f"{facts['samples_to_numbers']:.0f}", f"{facts['bits_per_second']:.0f}"
        rows.append([clip.title, f"{l2:.2f}", f"{l1:.2f}", *distances, str(facts["events"]), ratio, bits])
    headers = ["Example", "L2 removed", "L1 removed", "Distance", "Silence", "Events", "Samples per number", "Bits/s"]
    return Table(headers, rows, "The coded half of each example, in figures.")


def word_table(words: dict | None) -> Table | Prose:
    """Word errors of a recogniser, as `sparse_codec words` stored them with the checkpoint."""
    if words is None:
        return Prose("No word errors were measured for this checkpoint: run `python -m sparse_codec words`.")
    rows = [[n, f"{100 * rate:.0f} %", f"{words['estoi'][n]:.2f}"] for n, rate in words["word error rate"].items()]
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
        f" the number of events; this model was trained with an adversarial weight of {weights['adversarial']:.1f} and"
        f" a sparsity weight of {weights.get('sparsity', 0.0):.2f}. Of the checkpoints of a run the one"
        " is kept that does best on a dozen held-out segments: no weight was learnt from held-out works, but this"
        " choice saw some of them."
    )
    return Prose(text)


def see_also(article: str, articles: list[str]) -> Prose:
    """Links to the other articles of the site, if there are any."""
    others = [f"[{title}]({name}.html)" for name, title in TITLES.items() if name in articles and name != article]
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
