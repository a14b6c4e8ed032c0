"""The analysis finds what simulated listeners were made to hear, and says how sure it is."""

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binomtest, ttest_1samp, wilcoxon

from report.listening.analysis import _signed_rank, analyse, holm
from report.listening.collection import Sheet, collect
from report.listening.design import Checks, digest
from tests.report.listening.listeners import (
    TRUE,
    clicker,
    content,
    encoded,
    honest,
    make_design,
    mushra_trials,
    reversed_scale,
    trial,
)

MUSHRA = make_design("mushra", 8)


def sheets_of(design, files: dict[str, bytes]) -> list[Sheet]:
    collected = collect(files.items(), [design])
    assert not collected.refused and not collected.others
    return collected.sheets[digest(design)]


def crowd(design, seed: int, n: int = 20) -> dict[str, bytes]:
    """Honest listeners, and two of each kind that should not count."""
    files = {f"honest-{i}.json": honest(design, 1000 * seed + i) for i in range(n)}
    for number, bad in enumerate((clicker, reversed_scale, content)):
        for i in range(2):
            name = f"{bad.__name__}-{i}.json"
            files[name] = bad(design, 1000 * seed + 100 * (number + 1) + i)
    return files


def overall(results, key: str):
    return next(e for e in results.estimates if e.key == key and e.item == "")


# Validity


@pytest.fixture(autouse=True)
def no_collection(monkeypatch):
    """statsmodels collects garbage at each call, which takes most of the time in a test run."""
    monkeypatch.setattr("gc.collect", lambda: 0)


def test_the_stated_intervals_hold_the_true_means_in_93_of_100_runs():
    """True means of listeners of this kind: those of the systems, for offsets add up to zero.

    One in twenty intervals may miss; over 200 runs of three systems, chance alone would have to
    be two standard deviations off to reach one in fourteen.
    """
    runs, held = 200, 0
    for seed in range(runs):
        results = analyse(sheets_of(MUSHRA, crowd(MUSHRA, seed, n=15)), MUSHRA)
        for system in MUSHRA.systems:
            estimate = overall(results, system)
            held += estimate.low <= TRUE[system] <= estimate.high
    assert held >= 0.93 * runs * len(MUSHRA.systems)
    assert held <= 0.98 * runs * len(MUSHRA.systems)  # wider intervals would hide differences


def test_random_clickers_and_reversed_scales_are_rejected_and_nobody_else():
    wrong = 0
    for seed in range(10):
        results = analyse(sheets_of(MUSHRA, crowd(MUSHRA, seed)), MUSHRA)
        names = [name for name, _ in results.rejected]
        assert {n for n in crowd(MUSHRA, seed) if not n.startswith("honest")} <= {*names}
        wrong += sum(name.startswith("honest") for name in names)
    assert wrong == 0
    reasons = dict(results.rejected)
    assert "hidden reference below 90 in 8 of 8 items" in reasons["reversed_scale-0.json"][0]
    assert "7 kHz anchor above 90 in 8 of 8 items" in reasons["content-0.json"][0]


def test_a_known_preference_is_found_and_one_that_is_not_there_is_not():
    """model is 7 points better than rival; rival and plain are equal."""
    found, false = 0, 0
    for seed in range(20):
        results = analyse(sheets_of(MUSHRA, crowd(MUSHRA, seed)), MUSHRA)
        by_pair = {(d.first, d.second): d for d in results.differences}
        found += by_pair["model", "rival"].corrected < 0.05
        false += by_pair["rival", "plain"].corrected < 0.05
        assert by_pair["model", "rival"].mean > 0
    assert found == 20
    assert false <= 3


def test_no_listener_left_is_no_error():
    results = analyse(sheets_of(MUSHRA, {"a.json": clicker(MUSHRA, 1)}), MUSHRA)
    assert results.listeners == 0 and not results.estimates and len(results.rejected) == 1


# Arithmetic, against scipy


def test_means_intervals_and_quartiles_are_those_of_the_scores():
    design = make_design("mushra", 3)
    rng = np.random.default_rng(5)
    table = rng.integers(30, 80, (6, 3, 6)).astype(float)
    table[:, :, list(design.rated).index("reference")] = 100
    keys = {key: number for number, key in enumerate(design.rated)}
    files = {
        f"{n}.json": encoded(
            design,
            mushra_trials(design, lambda item, key, own=own: own[item, keys[key]], rng),
            n,
        )
        for n, own in enumerate(table)
    }
    results = analyse(sheets_of(design, files), design)
    model, rival = (table[:, :, keys[name]] for name in ("model", "rival"))
    estimate = overall(results, "model")
    interval = ttest_1samp(model.mean(axis=1), 0).confidence_interval(0.95)
    assert estimate.mean == pytest.approx(model.mean())
    assert (estimate.low, estimate.high) == pytest.approx(tuple(interval))
    assert (estimate.lower, estimate.median, estimate.upper) == pytest.approx(
        tuple(np.percentile(model, [25, 50, 75]))
    )
    one = next(e for e in results.estimates if e.key == "model" and e.item == "item 2")
    interval = ttest_1samp(model[:, 1], 0).confidence_interval(0.95)
    assert (one.mean, one.low, one.high) == pytest.approx((model[:, 1].mean(), *interval))
    difference = next(d for d in results.differences if (d.first, d.second) == ("model", "rival"))
    between = (model - rival).mean(axis=1)
    assert difference.p == pytest.approx(wilcoxon(np.round(between, 9)).pvalue)
    assert difference.mean == pytest.approx(between.mean())


@pytest.mark.parametrize("n", [1, 2, 6, 10, 14, 30])
def test_the_signed_rank_test_is_scipys_with_equal_differences_and_zeros(n):
    rng = np.random.default_rng(n)
    for _ in range(4):
        values = rng.integers(-3, 6, n) / 4
        values[0] = 0.5
        kept = values[values != 0]
        assert _signed_rank(values) == pytest.approx(wilcoxon(kept).pvalue)
    assert _signed_rank(np.zeros(n)) == 1.0


def test_holm_multiplies_the_least_p_by_the_number_of_tests():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([]) == []


def test_one_listener_has_means_and_no_intervals():
    results = analyse(sheets_of(MUSHRA, {"a.json": honest(MUSHRA, 1)}), MUSHRA)
    assert overall(results, "model").low is None and results.differences[0].p == 1.0


def test_a_subset_of_the_items_for_each_listener_is_enough():
    design = replace(MUSHRA, each=3)
    files = {}
    for n in range(12):
        trials = json.loads(honest(design, n))["trials"]
        files[f"{n}.json"] = encoded(design, trials[n % 6 : n % 6 + 3], n)
    results = analyse(sheets_of(design, files), design)
    assert overall(results, "model").listeners == 12
    assert {e.item for e in results.estimates} == {"", *(item.name for item in design.items)}


# Attention


def changed(data: bytes, change) -> bytes:
    answers = json.loads(data)
    change(answers)
    return json.dumps(answers).encode()


def only_reasons(design, data: bytes, **options) -> list[str]:
    results = analyse(sheets_of(design, {"a.json": data}), design, **options)
    return results.rejected[0][1] if results.rejected else []


def test_answers_without_hearing_do_not_count():
    def deaf(answers):
        for each in answers["trials"][:2]:
            each["plays"] = {each["order"][0]: 1}

    assert not only_reasons(MUSHRA, honest(MUSHRA, 1))
    assert only_reasons(MUSHRA, changed(honest(MUSHRA, 1), deaf)) == [
        "2 of 8 trials answered without hearing all sounds"
    ]


def test_scores_that_are_others_when_asked_again_do_not_count():
    design = replace(MUSHRA, checks=Checks(True, 1))

    def again(by: float):
        def change(answers):
            first = answers["trials"][2]
            scores = {s: v - by if v > 50 else v + by for s, v in first["scores"].items()}
            answers["trials"].append(first | {"part": "check", "scores": scores})

        return changed(honest(design, 1), change)

    assert not only_reasons(design, again(8))
    assert only_reasons(design, again(40)) == [
        "asked again, scores differ by 40.0 on average (allowed: 25)"
    ]


def test_a_failed_headphone_check_counts_if_headphones_are_asked_for():
    def speakers(answers):
        answers["checks"]["headphones"] = {"right": 3, "of": 6}

    data = changed(honest(MUSHRA, 1), speakers)
    assert not only_reasons(MUSHRA, data)
    assert only_reasons(MUSHRA, data, headphones=True) == ["headphone check: 3 of 6 right"]


# The other kinds


def acr(design, seed: int, kind: str) -> bytes:
    rng = np.random.default_rng(seed)
    true = {"model": 4.0, "rival": 3.0, "plain": 1.8}
    trials = []
    for item in design.items:
        for system in design.systems:
            score = {
                "honest": true[system] + rng.normal(0, 0.6),
                "reversed": 6 - true[system] + rng.normal(0, 0.6),
                "random": rng.uniform(0.5, 5.5),
            }[kind]
            sha = item.sounds[system]
            scores = {sha: int(np.clip(round(score), 1, 5))}
            trials.append(trial([sha], item.name, scores=scores))
    return encoded(design, trials, seed)


def test_opinion_scores_have_means_and_listeners_against_all_others_are_rejected():
    design = make_design("acr", 8)
    files = {f"honest-{i}.json": acr(design, i, "honest") for i in range(16)}
    files |= {
        "reversed.json": acr(design, 101, "reversed"),
        "random.json": acr(design, 102, "random"),
    }
    results = analyse(sheets_of(design, files), design)
    assert {name for name, _ in results.rejected} == {"reversed.json", "random.json"}
    assert overall(results, "model").mean == pytest.approx(4.0, abs=0.15)
    assert all(d.corrected < 0.01 and d.mean > 0 for d in results.differences)


def test_nobody_is_rejected_where_listeners_hear_no_difference_at_all():
    design = make_design("acr", 8)
    files = {f"{i}.json": acr(design, i, "random") for i in range(16)}
    assert analyse(sheets_of(design, files), design).rejected == []


def choosing(design, seed: int, chance: float, neither: float = 0.0) -> bytes:
    """One who takes the first of two systems with a chance, and in ABX is right with it."""
    rng = np.random.default_rng(seed)
    trials = []
    for item in design.tested:
        for pair in design.pairs:
            shas = [item.sounds[system] for system in pair]
            for _ in range(design.trials):
                order = [str(sha) for sha in rng.permutation(shas)]
                first = rng.uniform() < chance
                if design.kind == "abx":
                    x = order[rng.integers(2)]
                    wrong = next(sha for sha in order if sha != x)
                    trials.append(trial(order, item.name, x=x, choice=x if first else wrong))
                elif rng.uniform() < neither:
                    trials.append(trial(order, item.name, choice=None))
                else:
                    trials.append(trial(order, item.name, choice=shas[0] if first else shas[1]))
    return encoded(design, trials, seed)


def test_choices_are_counted_with_wilsons_interval():
    design = make_design("preference", 5, ("a", "b"), trials=2)
    files = {f"{i}.json": choosing(design, i, 0.75, neither=0.2) for i in range(12)}
    results = analyse(sheets_of(design, files), design)
    whole = results.choices[0]
    trials = [t for data in files.values() for t in json.loads(data)["trials"]]
    mine = {item.sounds["a"] for item in design.items}
    chosen = sum(t["choice"] in mine for t in trials)
    neither = sum(t["choice"] is None for t in trials)
    assert (whole.trials, whole.chosen, whole.neither) == (120, chosen, neither)
    test = binomtest(chosen, 120 - neither)
    interval = test.proportion_ci(method="wilson")
    assert (whole.low, whole.high, whole.p) == pytest.approx(
        (interval.low, interval.high, test.pvalue)
    )
    assert whole.corrected == whole.p < 0.001
    assert sum(one.trials for one in results.choices if one.item) == 120


@pytest.mark.parametrize(("chance", "heard"), [(0.9, True), (0.5, False), (0.1, False)])
def test_abx_asks_whether_x_is_told_better_than_by_guessing(chance, heard):
    design = make_design("abx", 2, ("a", "b"), trials=8)
    files = {f"{i}.json": choosing(design, i, chance) for i in range(4)}
    whole = analyse(sheets_of(design, files), design).choices[0]
    assert whole.trials == 64 and (whole.p < 0.05) == heard


def test_pairs_of_three_systems_are_corrected_together():
    design = make_design("preference", 6, ("a", "b", "c"))
    files = {f"{i}.json": choosing(design, i, 0.62) for i in range(8)}
    results = analyse(sheets_of(design, files), design)
    whole = [one for one in results.choices if not one.item]
    assert [(one.first, one.second) for one in whole] == [("a", "b"), ("a", "c"), ("b", "c")]
    assert [one.corrected for one in whole] == pytest.approx(holm([one.p for one in whole]))
    assert any(one.corrected > one.p for one in whole)
