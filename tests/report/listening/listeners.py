"""Designs of listening tests, and simulated listeners who answer them.

They stand in tests only: no article shows what a simulated listener says.
"""

import json
from hashlib import sha256
from typing import Any

import numpy as np

from report.listening.design import Checks, Design, Item, Scale
from report.listening.design import digest as design_digest

SYSTEMS = ("model", "rival", "plain")
ANCHORS = ("anchor3500", "anchor7000")


def digest(name: str) -> str:
    return sha256(name.encode()).hexdigest()


def make_design(kind: str = "mushra", n_items: int = 8, systems=SYSTEMS, **fields: Any) -> Design:
    """A design whose sounds are hashes of "item/system"."""
    roles = {"reference": "Reference"} if kind in ("mushra", "dcr") else {}
    if kind == "mushra":
        roles |= {"anchor3500": "3.5 kHz anchor", "anchor7000": "7 kHz anchor"}
    names = [f"item {number}" for number in range(1, n_items + 1)]
    items = [
        Item(name, {role: digest(f"{name}/{role}") for role in (*systems, *roles)}, {})
        for name in names
    ]
    least, most = {"mushra": (0, 100), "acr": (1, 5), "dcr": (1, 5)}.get(kind, (0, 0))
    return Design(
        **{
            "id": "test",
            "kind": kind,
            "question": "How good is it?",
            "systems": tuple(systems),
            "items": tuple(items),
            "roles": roles,
            "scale": Scale(least, most, ("Best", "Worst")) if most else None,
            "each": n_items - len(fields.get("training", ())),
            "trials": 1,
            "training": (),
            "level": -23.0,
            "checks": Checks(headphones=True, repeated=0),
            "consent": "Answers are kept.",
            "token": None,
            "post": None,
            **fields,
        }
    )


def encoded(design: Design, trials: list[dict], seed: int = 1, **fields: Any) -> bytes:
    """The file of answers with these trials."""
    return json.dumps(
        {
            "format": "listening-test-answers",
            "version": 1,
            "test": design.id,
            "page": "listening.html",
            "design": design_digest(design),
            "seed": f"{seed:08x}",
            "listener": digest(f"listener {seed}")[:32],
            "token": design.token,
            "trials": trials,
            "checks": {"headphones": {"right": 6, "of": 6}, "level": True},
            "seconds": 300.0,
            **fields,
        }
    ).encode()


def trial(order: list[str], item: str, **answer: Any) -> dict:
    plays = {sha: 2 for sha in order}
    return {"item": item, "part": "test", "order": order, "seconds": 20.5, "plays": plays} | answer


def mushra_trials(design: Design, score, rng: np.random.Generator) -> list[dict]:
    """A trial for each item; `score` gives that of (item number, role or system)."""
    trials = []
    for number, item in enumerate(design.items):
        roles = {sha: role for role, sha in item.sounds.items()}
        order = [str(sha) for sha in rng.permutation(list(roles))]
        scores = {sha: round(float(np.clip(score(number, roles[sha]), 0, 100))) for sha in order}
        trials.append(trial(order, item.name, scores=scores))
    return trials


# Simulated listeners of a MUSHRA test

TRUE = {"model": 62.0, "rival": 55.0, "plain": 55.0, "anchor3500": 20.0, "anchor7000": 40.0}
TRUE |= {"fine": 75.0, "coarse": 40.0}
ITEM_SPREAD, LISTENER_SPREAD, NOISE = 5.0, 4.0, 6.0  # standard deviations, in points


def honest(design: Design, seed: int) -> bytes:
    """One who hears what is there, with habits and errors of his own.

    Items are harder or easier for everybody, by offsets that add up to zero.
    """
    rng = np.random.default_rng(seed)
    offsets = ITEM_SPREAD * np.sin(2 * np.pi * np.arange(len(design.tested)) / len(design.tested))
    habit = rng.normal(0, LISTENER_SPREAD)

    def score(number: int, role: str) -> float:
        if role == "reference":
            return 100 - abs(rng.normal(0, 2))
        return TRUE[role] + offsets[number] + habit + rng.normal(0, NOISE)

    return encoded(design, mushra_trials(design, score, rng), seed)


def clicker(design: Design, seed: int) -> bytes:
    """One who puts the sliders anywhere."""
    rng = np.random.default_rng(seed)
    return encoded(
        design, mushra_trials(design, lambda number, role: rng.uniform(0, 100), rng), seed
    )


def reversed_scale(design: Design, seed: int) -> bytes:
    """One who took 0 for the best."""
    rng = np.random.default_rng(seed)

    def score(number: int, role: str) -> float:
        return 100 - TRUE.get(role, 98.0) + rng.normal(0, NOISE)

    return encoded(design, mushra_trials(design, score, rng), seed)


def content(design: Design, seed: int) -> bytes:
    """One who finds everything excellent, anchors too."""
    rng = np.random.default_rng(seed)
    return encoded(
        design, mushra_trials(design, lambda number, role: 100 - rng.integers(0, 5), rng), seed
    )
