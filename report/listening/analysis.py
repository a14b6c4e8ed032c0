"""What listeners say together: means with intervals, medians, tests of pairs.

A listener is one observation: scores are averaged over a listener's items first, and intervals and
tests are over listeners. So many items by few listeners claim no more than few listeners can.
Choices are counted one by one.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import combinations
from typing import Any

import numpy as np

from report.errors import ReportError
from report.listening.collection import Sheet
from report.listening.design import Design, digest
from report.listening.screening import scores_of, screen

CONFIDENCE = 0.95
FEW = 13  # listeners: for so many, all changes of signs are tried where differences are equal


@dataclass(frozen=True)
class Estimate:
    """The scores of a system, or of another sound of a test: over all items, or of one."""

    key: str  # of Item.sounds
    item: str  # "" for all
    listeners: int
    mean: float
    low: float | None  # the interval of the mean; None for a single listener
    high: float | None
    median: float  # of all scores, as the quartiles
    lower: float
    upper: float


@dataclass(frozen=True)
class Difference:
    """How much more a system gets than another one, by the means of each listener."""

    first: str
    second: str
    listeners: int
    mean: float
    low: float | None
    high: float | None
    p: float  # of Wilcoxon's signed-rank test
    corrected: float  # by Holm, for all pairs


@dataclass(frozen=True)
class Choices:
    """How often listeners chose one of two systems, or in ABX, were right about X."""

    first: str
    second: str
    item: str  # "" for all
    listeners: int
    trials: int
    chosen: int  # the first one; in ABX, right answers
    neither: int
    share: float | None  # chosen, of the trials with a choice; None if there is none
    low: float | None
    high: float | None
    p: float
    corrected: float  # by Holm, for all pairs; of one item, as `p`


@dataclass(frozen=True)
class Results:
    """The results of a test."""

    test: str
    design: str  # its SHA-256
    kind: str
    listeners: int  # whose answers count
    rejected: list[tuple[str, list[str]]]  # file -> why the answers in it do not count
    estimates: list[Estimate] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)
    choices: list[Choices] = field(default_factory=list)


def analyse(sheets: Sequence[Sheet], design: Design, headphones: bool = False) -> Results:
    """Return what the answers to a test say, after screening.

    headphones: leave out listeners who failed the headphone check.
    """
    screened = screen(sheets, design, headphones)
    kept = [sheet for sheet, reasons in screened if not reasons]
    rejected = [(sheet.name, reasons) for sheet, reasons in screened if reasons]
    found: dict[str, Any] = {}
    if kept and design.scale is not None:
        scores = scores_of(kept, design)
        found = {
            "estimates": _estimates(scores, design),
            "differences": _differences(scores, design),
        }
    elif kept:
        found = {"choices": _choices(kept, design)}
    return Results(design.id, digest(design), design.kind, len(kept), rejected, **found)


# Scores


def _estimates(scores: np.ndarray, design: Design) -> list[Estimate]:
    """Return the estimates of all keys over all items, then of each item."""
    estimates = []
    slices = [("", scores)]
    slices += [(item.name, scores[:, [i]]) for i, item in enumerate(design.tested)]
    for item, part in slices:
        for number, key in enumerate(design.rated):
            given = part[:, :, number]
            given = given[~np.isnan(given).all(axis=1)]
            if len(given):
                estimates.append(_estimate(key, item, given))
    return estimates


def _estimate(key: str, item: str, given: np.ndarray) -> Estimate:
    """Return the estimate of scores (listeners, items), some of each listener."""
    mean, low, high = _interval(np.nanmean(given, axis=1))
    lower, median, upper = map(float, np.nanpercentile(given, [25, 50, 75]))
    return Estimate(key, item, len(given), mean, low, high, median, lower, upper)


def _interval(values: np.ndarray) -> tuple[float, float | None, float | None]:
    """Return the mean of values, one of each listener, and its interval by Student's t."""
    mean, n = float(values.mean()), len(values)
    if n < 2:
        return mean, None, None
    half = _quantile(n - 1) * float(values.std(ddof=1)) / math.sqrt(n)
    return mean, mean - half, mean + half


@lru_cache
def _quantile(freedom: int) -> float:
    """Return how many standard errors an interval reaches, with so many degrees of freedom."""
    from scipy.stats import t

    return float(t.ppf((1 + CONFIDENCE) / 2, freedom))


def _differences(scores: np.ndarray, design: Design) -> list[Difference]:
    """Compare each two systems, by listeners who scored both for some item."""
    keys = list(design.rated)
    found = []
    for first, second in combinations(design.systems, 2):
        between = scores[:, :, keys.index(first)] - scores[:, :, keys.index(second)]
        between = between[~np.isnan(between).all(axis=1)]
        if len(between):
            values = np.nanmean(between, axis=1)
            found.append((first, second, len(values), *_interval(values), _signed_rank(values)))
    corrected = holm([p for *_, p in found])
    return [Difference(*one, after) for one, after in zip(found, corrected, strict=True)]


def _signed_rank(values: np.ndarray) -> float:
    """Return the p-value of Wilcoxon's test that differences lie around 0."""
    from scipy.stats import permutation_test, rankdata, wilcoxon

    # Sums of rounded scores differ in their last bits where they are equal.
    values = np.round(values, 9)
    values = values[values != 0]
    if len(values) < 2:  # of one, both signs are as likely
        return 1.0
    if len(values) > FEW:
        return float(wilcoxon(values).pvalue)
    # wilcoxon() ranks anew for every change of signs, which takes a second for each pair.
    ranks = np.sign(values) * rankdata(abs(values))
    return float(
        permutation_test(
            (ranks,), np.sum, permutation_type="samples", n_resamples=np.inf, vectorized=True
        ).pvalue
    )


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values corrected for their number. Raises: ReportError without statsmodels."""
    if not p_values:
        return []
    try:
        from statsmodels.stats.multitest import multipletests
    except ModuleNotFoundError as error:
        raise ReportError(
            "tests of several pairs are corrected by statsmodels, which is not here: "
            "pip install statsmodels"
        ) from error
    return [float(p) for p in multipletests(p_values, method="holm")[1]]


# Choices


def _choices(sheets: Sequence[Sheet], design: Design) -> list[Choices]:
    """Return what was chosen of each two systems over all items, then of each item."""
    answers = _answered(sheets, design)
    found = [_chosen(pair, "", answers, design.kind) for pair in design.pairs]
    found = [one for one in found if one.trials]
    corrected = holm([one.p for one in found])
    overall = [
        Choices(**{**vars(one), "corrected": after})
        for one, after in zip(found, corrected, strict=True)
    ]
    by_item = [
        _chosen(pair, item.name, [one for one in answers if one.item == item.name], design.kind)
        for item in design.tested
        for pair in design.pairs
    ]
    return overall + [one for one in by_item if one.trials]


@dataclass(frozen=True)
class _Answer:
    listener: str
    item: str
    pair: frozenset[str]  # of systems
    chosen: str | None  # a system; in ABX "right" or "wrong"


def _answered(sheets: Sequence[Sheet], design: Design) -> list[_Answer]:
    names = {
        item.name: {item.sounds[system]: system for system in design.systems}
        for item in design.tested
    }
    answers = []
    for sheet in sheets:
        for trial in sheet.answers.trials:
            if trial.part != "test":
                continue
            systems = names[trial.item]
            pair = frozenset(systems[sha] for sha in trial.order)
            chosen = systems[trial.choice] if isinstance(trial.choice, str) else None
            if design.kind == "abx":
                chosen = "right" if trial.choice == trial.x else "wrong"
            answers.append(_Answer(sheet.answers.listener, trial.item, pair, chosen))
    return answers


def _chosen(pair: tuple[str, str], item: str, answers: Sequence[_Answer], kind: str) -> Choices:
    from scipy.stats import binomtest

    own = [answer for answer in answers if answer.pair == frozenset(pair)]
    counts = Counter(answer.chosen for answer in own)
    wins, losses = ("right", "wrong") if kind == "abx" else pair
    chosen, decided = counts[wins], counts[wins] + counts[losses]
    # One who hears no difference guesses; nobody is wrong on purpose.
    side = "greater" if kind == "abx" else "two-sided"
    share = low = high = None
    p = 1.0
    if decided:
        test = binomtest(chosen, decided, alternative=side)
        interval = binomtest(chosen, decided).proportion_ci(CONFIDENCE, method="wilson")
        share, low, high, p = chosen / decided, interval.low, interval.high, test.pvalue
        low, high, p = float(low), float(high), float(p)
    listeners = len({answer.listener for answer in own})
    neither = len(own) - decided
    return Choices(
        *pair, item, listeners, len(own), chosen, neither, share, low, high, p, corrected=p
    )
