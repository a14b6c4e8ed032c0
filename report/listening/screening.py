"""Listeners whose answers do not count, each with the reasons.

For MUSHRA these are the two rules of ITU-R BS.1534-3 for the time after a test. Others find answers
that say nothing: given without hearing the sounds, not given again when asked again, or against
those of all others.
"""

from collections.abc import Sequence

import numpy as np

from report.listening.answers import Answers, Trial
from report.listening.collection import Sheet
from report.listening.design import REFERENCE, Design

SHARE = 0.15  # of the items, in which a listener may miss a rule of BS.1534-3
GOOD = 90.0  # the least score of the hidden reference, and the most of the mid anchor
MID_ANCHOR = "anchor7000"
UNHEARD = 0.15  # share of the trials that may be answered without hearing all sounds
AGAIN = 0.25  # share of the scale by which scores may differ on average when asked again
# ACR and DCR have no sound whose score is known. So where listeners agree (half of them correlate
# with the means of the others by AGREEING or more), one is out who does so less than half as much
# as the listener in the middle.
AGREEING = 0.6
FEWEST_SOUNDS, FEWEST_LISTENERS = 6, 4  # for that rule
HEADPHONES = 5 / 6  # right answers of the headphone check, by those who made it

Scores = np.ndarray  # (listeners, items, keys of Item.sounds), NaN where a listener gave none


def scores_of(sheets: Sequence[Sheet], design: Design) -> Scores:
    """Return the scores of a test's own trials, training and repeated ones left out."""
    keys = {key: number for number, key in enumerate(design.rated)}
    items = {item.name: number for number, item in enumerate(design.tested)}
    names = [{sha: key for key, sha in item.sounds.items()} for item in design.tested]
    scores = np.full((len(sheets), len(items), len(keys)), np.nan)
    for listener, sheet in enumerate(sheets):
        for trial in sheet.answers.trials:
            if trial.part == "test":
                item = items[trial.item]
                for sha, score in trial.scores.items():
                    scores[listener, item, keys[names[item][sha]]] = score
    return scores


def screen(
    sheets: Sequence[Sheet], design: Design, headphones: bool = False
) -> list[tuple[Sheet, list[str]]]:
    """Return each listener with the reasons not to count the answers, none if they count.

    headphones: a failed headphone check is a reason.
    """
    reasons: list[list[str]] = [_inattentive(sheet.answers, design) for sheet in sheets]
    if headphones:
        for sheet, own in zip(sheets, reasons, strict=True):
            own += _without_headphones(sheet.answers)
    scores = scores_of(sheets, design)
    if design.kind == "mushra":
        for own, given in zip(reasons, scores, strict=True):
            own += _by_anchors(given, design)
    elif design.scale is not None:
        sound = [number for number, own in enumerate(reasons) if not own]
        for number in _against_all(scores[sound]):
            reasons[sound[number]].append("the scores do not go with those of the other listeners")
    return list(zip(sheets, reasons, strict=True))


def _by_anchors(scores: np.ndarray, design: Design) -> list[str]:
    """Return what BS.1534-3 finds in one listener's scores (items, keys)."""
    reasons = []
    keys = list(design.rated)
    rules = [
        (REFERENCE, "hidden reference", "below", np.less),
        (MID_ANCHOR, "7 kHz anchor", "above", np.greater),
    ]
    for key, name, side, misses in rules:
        if key not in keys:
            continue
        given = scores[:, keys.index(key)]
        given = given[~np.isnan(given)]
        missed = int(misses(given, GOOD).sum())
        if missed > SHARE * len(given):
            reasons.append(
                f"{name} {side} {GOOD:g} in {missed} of {len(given)} items "
                f"(BS.1534-3 allows {SHARE:.0%})"
            )
    return reasons


def _inattentive(answers: Answers, design: Design) -> list[str]:
    reasons = []
    asked = [trial for trial in answers.trials if trial.part == "test"]
    unheard = sum(
        any(not trial.plays.get(sha) for sha in trial.scores or trial.order) for trial in asked
    )
    if unheard > UNHEARD * len(asked):
        reasons.append(f"{unheard} of {len(asked)} trials answered without hearing all sounds")
    if design.scale is None:
        return reasons
    differences = [
        abs(score - first.scores[sha])
        for trial in answers.trials
        if trial.part == "check" and (first := _first(trial, asked))
        for sha, score in trial.scores.items()
    ]
    width = design.scale.most - design.scale.least
    if differences and np.mean(differences) > AGAIN * width:
        reasons.append(
            f"asked again, scores differ by {np.mean(differences):.1f} on average "
            f"(allowed: {AGAIN * width:g})"
        )
    return reasons


def _first(again: Trial, asked: list[Trial]) -> Trial | None:
    """Return the trial that another one repeats."""
    return next(
        (
            trial
            for trial in asked
            if trial.item == again.item and trial.scores.keys() == again.scores.keys()
        ),
        None,
    )


def _without_headphones(answers: Answers) -> list[str]:
    check = answers.checks.headphones
    if check is None or check.of == 0:
        return ["the headphone check was left out"]
    if check.right < HEADPHONES * check.of:
        return [f"headphone check: {check.right} of {check.of} right"]
    return []


def _against_all(scores: Scores) -> list[int]:
    """Return the listeners whose scores do not go with the means of the others."""
    flat = scores.reshape(len(scores), -1)
    if len(flat) < FEWEST_LISTENERS:
        return []
    known = ~np.isnan(flat)
    sums, counts = np.where(known, flat, 0).sum(axis=0), known.sum(axis=0)
    agreement = np.full(len(flat), np.nan)
    for number, own in enumerate(flat):
        others = counts - known[number]
        both = known[number] & (others > 0)
        if both.sum() < FEWEST_SOUNDS:
            continue
        mean = (sums[both] - own[both]) / others[both]
        spread = own[both].std() * mean.std()
        covariance = np.mean((own[both] - own[both].mean()) * (mean - mean.mean()))
        agreement[number] = covariance / spread if spread else 0.0
    if np.isnan(agreement).all() or np.nanmedian(agreement) < AGREEING:
        return []
    least = np.nanmedian(agreement) / 2
    return [number for number, one in enumerate(agreement) if one < least]
