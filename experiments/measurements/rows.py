"""The rows of measurements that articles name; importing them loads no PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np

from experiments.stored_figures import Figures

Tables = dict[str, dict[str, Any]]  # of a configuration in TOML

# The name of each switch, what it changes in words, and in the tables of default.toml.
SWITCHES: dict[str, tuple[str, Tables]] = {
    "default": ("nothing", {}),
    "no scenes": ("the greedy loss alone: no scenes are fitted", {"training": {"scenes": 0}}),
    "switch gain": (
        "the gain is the height of the encoder's switch, as published",
        {"codec": {"gain": "switch"}},
    ),
    "linear input": (
        "the encoder sees plain magnitudes, as published",
        {"codec": {"input": "linear"}},
    ),
    "published gain and input": ("both of these", {"codec": {"gain": "switch", "input": "linear"}}),
    "one envelope": (
        "noise and partials share an envelope",
        {"decoder": {"noise_envelope": False}},
    ),
    "no tilt": ("an event's colour does not change but by its decays", {"decoder": {"tilt": 0.0}}),
    "glide": ("an event's pitch may move by a semitone", {"decoder": {"glide": 1.0}}),
    "no room": ("the decoder has no room stage", {"decoder": {"reverberation": []}}),
    "no perceptual loss": ("scenes without the log-mel term", {"training": {"perceptual": 0.0}}),
    "sparsity": ("the sum of the gains has a price of 0.05", {"training": {"sparsity": 0.05}}),
    "adversarial": ("a discriminator, with a weight of 0.1", {"training": {"adversarial": 0.1}}),
    "no L1": (
        "no reward for the L1 norm removed",
        {"training": {"removed_l1": 0.0, "scene_l1": 0.0}},
    ),
    "no price on over-subtraction": ("what goes below zero is free", {"training": {"over": 0.0}}),
    "no cosine": (
        "no reward for the cosine between event and residual",
        {"training": {"cosine": 0.0}},
    ),
    "one candidate": ("one candidate a step in training", {"training": {"candidates": 1}}),
}
PUBLISHED = "published configuration"
SEGMENTS = 3  # held-out, spread over the data, that each of these is measured on

# the efforts of `sparse_codec.config.EFFORTS` among the rows of `encoding_options`
EFFORT_ROWS = {
    "fast": "greedy: no refinement (--fast)",
    "default": "as the article",
    "best": "more refinement (--best)",
}

# `consistent_sound`
FIRST, PLAIN = "first version: the room convolves", "plain sum, the room as levels"
NAMES = ("sound_l2", "sound_l1", "distance", "log_mel", "opinion", "level")
DRAWS = 6  # of other phases that partials start with

# `looking_further`
AS_ARTICLE = "as the article"
HEARD_FURTHER = ("l2", "l1", "sound_l2", "sound_l1", "log_mel", "opinion", "onset_f", "seconds")


def means(figures: Figures) -> dict[str, dict[str, float]]:
    """Return the mean over segments of every way's figures."""
    return means_of([segment["ways"] for segment in figures["segments"].values()])


def means_of(segments: list[Figures]) -> dict[str, dict[str, float]]:
    """Return the mean of every way's figures, each over the segments that have it."""
    rows: dict[str, dict[str, float]] = {}
    for way in segments[0]:
        names = dict.fromkeys(name for segment in segments for name in segment[way])
        rows[way] = {
            name: float(np.mean([s[way][name] for s in segments if name in s[way]]))
            for name in names
        }
    return rows
