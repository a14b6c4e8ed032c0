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

LAYOUT_SEED = 7  # of the t-SNE and of the projection to colours
VARIATION_SEEDS = {"random vectors": 11, "random times": 12, "perturbed": 13}


def streaming(clip: Clip, codec: SparseCodec) -> Compare:
    """The long clip and its reconstruction, with their spectrograms."""
    original = demos.original(clip, codec)
    events = demos.streamed(clip, codec)
    reconstruction = demos.rendered(events, codec)
    note = f"{len(demos.events_of(events))} events. {clip.source} {clip.licence}."
    return Compare(
        clip.title,
        [
            ("Original", original, demos.spectrogram(original, f"the original, {clip.title}")),
            ("Reconstruction", reconstruction, demos.spectrogram(reconstruction, f"the reconstruction, {clip.title}")),
        ],
        note,
    )


def example(number: int, clip: Clip, codec: SparseCodec) -> Group:
    """All that the article shows of one clip."""
    encoding = demos.encoded(clip, codec)
    if not len(demos.events_of(encoding)):
        return Group([Prose(f"### Example {number}: {clip.title}\n\nThe first half of this clip holds no events.")])
    parts = [
        Prose(f"### Example {number}: {clip.title}\n\n{clip.source} {clip.licence}."),
        _comparison(clip, encoding, codec),
        Prose("#### One event, stage by stage\n\nThe loudest event, after each of the decoder's stages."),
        _stages(encoding, codec),
        Prose("#### Decomposition\n\nEach frame of the film is what is left after one more event."),
        FilmStrip(
            demos.film(clip, encoding, codec),
            demos.film_poster(clip, encoding, codec),
            _shares_caption(encoding),
        ),
        Prose(
            "#### Variations\n\nThe same events with one thing changed: vectors drawn anew between the smallest and the"
            " largest number in this example, at the original times and gains; the original vectors at times drawn"
            " anew; and every vector moved in the same direction, by adding one small random vector to all."
        ),
        _variations(encoding, codec),
        Prose("#### Event vectors"),
        Image(demos.vectors_picture(encoding), f"The {len(demos.events_of(encoding))} event vectors of this example."),
        event_roll(clip, encoding, codec),
    ]
    return Group(parts)


def _comparison(clip: Clip, encoding: Artifact, codec: SparseCodec) -> Compare:
    """The coded half beside its reconstruction and what is left; then the whole excerpt by streaming."""
    whole = demos.original(clip, codec)
    half = demos.first_half(clip, codec)
    coded = demos.rendered(encoding, codec)
    residual = demos.residual_sound(clip, encoding, codec)
    streamed = demos.rendered(demos.streamed(clip, codec), codec)
    items = {
        "Original, the coded half": half,
        "Reconstruction of the coded half": coded,
        "Residual of the coded half": residual,
        "Original, whole": whole,
        "Reconstruction by streaming, whole": streamed,
    }
    return Compare(
        "Original and reconstruction",
        [(label, sound, demos.spectrogram(sound, f"{label.lower()}, {clip.title}")) for label, sound in items.items()],
    )


def _stages(encoding: Artifact, codec: SparseCodec) -> Row:
    loudest = int(np.argmax(demos.events_of(encoding).gains))
    notes = {
        "excitation": "Envelope over impulses and noise.",
        "resonance": "Each partial and noise band with its own strength and decay.",
        "room": "With the room's answer: the event as it is heard.",
    }
    sounds = {stage: demos.stage_sound(encoding, loudest, stage, codec) for stage in notes}
    items = [(stage.capitalize(), s, demos.spectrogram(s, f"one event after {stage}")) for stage, s in sounds.items()]
    return Compare("Excitation, resonance, room", items, " ".join(notes.values()))


def _shares_caption(encoding: Artifact) -> str:
    shares = encoding.value["shares"]
    marks = [n for n in (1, 4, 8, 16, 32) if n <= len(shares)]
    told = ", ".join(f"{100 * shares[n - 1][0]:.0f} % after {n}" for n in marks)
    return f"The residual's spectrogram, event by event. Energy removed (L2): {told}."


def _variations(encoding: Artifact, codec: SparseCodec) -> Row:
    players = []
    for kind, seed in VARIATION_SEEDS.items():
        varied = demos.variation(encoding, kind, seed, codec)
        players.append(Player(demos.rendered(varied, codec), kind.capitalize()))
    return Row(players)


def event_roll(clip: Clip, encoding: Artifact, codec: SparseCodec) -> EventRoll:
    """Every event as a mark that plays it: time across, 1-D t-SNE up, colour by a random projection."""
    events, layout = demos.events_of(encoding), demos.layout(encoding, LAYOUT_SEED).value
    loudness = events.gains / max(events.gains.max(), 1e-9)
    marks = [
        Mark(
            x=float(events.seconds[i]),
            y=layout["heights"][i],
            radius=float(np.sqrt(loudness[i])),
            colour=layout["colours"][i],
            label=f"event {i + 1}, at {events.seconds[i]:.2f} seconds",
            sound=demos.event_sound(encoding, i, codec),
        )
        for i in range(len(events))
    ]
    return EventRoll(f"Events of {clip.title}", marks, "similar sounds lie near each other (1-D t-SNE)")


def figures_table(clips: list[Clip], codec: SparseCodec) -> Table:
    """One row an example."""
    rows = []
    for clip in clips:
        encoding = demos.encoded(clip, codec)
        original, reconstruction = demos.original(clip, codec), demos.rendered(encoding, codec)
        facts = demos.figures(original, reconstruction, encoding).value
        rows.append(
            [
                clip.title,
                f"{facts['l2']:.2f}" if "l2" in facts else "–",
                f"{facts['l1']:.2f}" if "l1" in facts else "–",
                f"{facts['distance']:.1f} dB",
                f"{facts['silence']:.1f} dB",
                str(facts["events"]),
                f"{facts['samples'] / max(1, facts['numbers']):.0f} to 1",
                f"{facts['bits_per_second']:.0f}",
            ]
        )
    headers = ["Example", "L2 removed", "L1 removed", "Distance", "Silence", "Events", "Samples to numbers", "Bits/s"]
    return Table(headers, rows, "The coded half of each example, in figures.")


def evaluation_tables(evaluation: dict | None) -> list:
    """The held-out figures that came with the checkpoint, or a line that there are none for it."""
    if evaluation is None:
        return [Prose("No held-out figures were measured for this checkpoint: run `python -m sparse_codec evaluate`.")]
    methods = {
        "codec": "This codec",
        "codec, one pass": "This codec, no refinement, no joint gains",
        "matching pursuit": "Matching pursuit",
        "orthogonal matching pursuit": "Orthogonal matching pursuit",
    }
    tables = []
    for order in ("l2", "l1"):
        figures = evaluation["all"]
        rows = [[title, *(f"{x:.2f}" for x in figures[name][order])] for name, title in methods.items()]
        caption = f"Share of {order.upper()} removed from {figures['segments']} held-out segments, by number of events."
        tables.append(Table(["Method", *map(str, evaluation["counts"])], rows, caption))
    return [*tables, _sound_table(evaluation, methods), _group_table(evaluation)]


def _sound_table(evaluation: dict, methods: dict[str, str]) -> Table:
    figures = evaluation["all"]
    rows = [[title, f"{figures[name]['distance']:.1f} dB"] for name, title in methods.items()]
    rows.append(["Silence", f"{figures['silence']['distance']:.1f} dB"])
    return Table(["Method", "Distance"], rows, "Log-spectral distance of the rendered sound, 32 events.")


def _group_table(evaluation: dict) -> Table:
    rows = [
        [name, str(g["segments"]), *(f"{g[m][o][-1]:.2f}" for m in ("codec", "matching pursuit") for o in ("l2", "l1"))]
        for name, g in evaluation["groups"].items()
    ]
    headers = ["Group", "Segments", "Codec L2", "Codec L1", "Pursuit L2", "Pursuit L1"]
    return Table(headers, rows, "Share removed with 32 events, by group. Brass was never trained on.")


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
