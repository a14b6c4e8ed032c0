"""Variations of a segment's events: random sounds, random times, and one perturbation of all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sparse_codec.events import EventSet

if TYPE_CHECKING:
    from sparse_codec.codec import SparseCodec

VARIATIONS = {"random vectors": 11, "random times": 12, "perturbed": 13}  # each with its seed
PERTURBATION = 0.6  # norm of the vector that is added to all


def vary(codec: SparseCodec, events: EventSet, kind: str, until: int | None = None) -> EventSet:
    """Return one of VARIATIONS of events.

    until: the sample before which random times lie, by default the end of half a segment.
    """
    seed = VARIATIONS[kind]
    if kind == "random vectors":
        return events.randomise_vectors(seed)
    if kind == "random times":
        return events.randomise_times(seed, until=until or codec.config.segment_samples // 2)
    return events.perturb(PERTURBATION, seed, spare=codec.decoder.pitch_numbers)
