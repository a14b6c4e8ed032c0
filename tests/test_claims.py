"""Numbers in prose were measured, with the checkpoints and manifests that are shipped."""

import json
from pathlib import Path

import numpy as np
import pytest

from experiments.measurements import (
    compare_time_codes,
    encoding_options,
    looking_further,
    rate_distortion,
    second_decoder,
    switches,
    write_tables,
)
from experiments.measurements.rows import AS_ARTICLE, EFFORT_ROWS, means_of
from experiments.measurements.time_codes import CODES
from experiments.sections.ablations import paces
from sparse_codec import SparseCodec, find_checkpoint
from sparse_codec.coding.event_file import SCALE
from sparse_codec.coding.priors import Priors
from sparse_codec.evaluation.frozen_set import read_manifest
from sparse_codec.evaluation.tables import many_atoms

ROOT = Path(__file__).parent.parent
EVALUATION = ROOT / "docs" / "evaluation.md"
MODELS = ("music", "speech")


def stored(model: str, suffix: str = ".json") -> dict:
    return json.loads(find_checkpoint(model).with_suffix(suffix).read_text())


@pytest.mark.parametrize("model", MODELS)
def test_the_figures_are_of_the_shipped_checkpoint_and_manifest(model):
    figures, codec = stored(model), SparseCodec.load(model)
    manifest = read_manifest(find_checkpoint(model).with_suffix(".manifest.json"))
    assert figures["checkpoint"] == codec.digest and figures["manifest"] == manifest.digest
    assert sum(group["segments"] for group in figures["groups"].values()) == manifest.n_segments


def test_the_evaluation_set_of_music_is_large_and_held_out():
    manifest = read_manifest(find_checkpoint("music").with_suffix(".manifest.json"))
    held_out = [file for file in manifest.files if not file.foreign]
    groups = {file.group for file in manifest.files}
    assert sum(len(file.starts) for file in held_out) >= 200
    assert {"brass", "wesnoth", "recordings"} <= groups
    assert stored("music")["all"]["segments"] == sum(len(file.starts) for file in held_out)


@pytest.mark.parametrize(("model", "least"), [("music", 1), ("speech", 16)])
def test_the_codec_beats_matching_pursuit_with_as_many_events(model, least):
    """A voice's events are read off together, and a handful of them says little."""
    figures = stored(model)
    codec, pursuit = (figures["all"][name] for name in ("codec", "matching pursuit"))
    for order in ("l2", "l1"):
        assert [
            n
            for n, ours, theirs in zip(figures["counts"], codec[order], pursuit[order], strict=True)
            if n >= least and ours <= theirs
        ] == [], order


def test_every_group_is_better_than_pursuit_with_four_times_as_many_atoms():
    figures = stored("music")
    for name, methods in {"all": figures["all"], **figures["groups"]}.items():
        codec, many = methods["codec"], methods[many_atoms(methods)]
        assert codec["l2"][-1] > many["l2_all"] and codec["l1"][-1] > many["l1_all"], name
        assert codec["distance"] < many["distance"] and codec["log_mel"] < many["log_mel"], name
        assert np.all(np.diff(codec["l2"]) > 0), name  # more events, more removed


def test_no_event_of_any_measured_segment_of_music_adds_energy():
    """A model that fits a whole window together may have events that do when taken off in order."""
    figures = stored("music")
    groups = [figures["all"], *figures["groups"].values()]
    assert all(group["codec"]["harmful"] == 0 for group in groups)


def test_documents_show_the_tables_that_were_measured(capsys):
    assert write_tables.main(["--check"]) == 0, capsys.readouterr().out


def test_word_errors_were_measured_with_the_shipped_checkpoint():
    words = stored("speech", ".words.json")
    assert words["checkpoint"] == SparseCodec.load("speech").digest and not words["skipped"]
    for group in words["groups"].values():
        heard = group["methods"]
        assert heard["original"]["shared"] == heard["original"]["plain"]
        assert heard["original"]["plain"] < heard["matching pursuit, 128"]["plain"]


@pytest.mark.parametrize("model", MODELS)
def test_a_checkpoint_is_small_and_says_how_it_was_trained(model):
    card = SparseCodec.load(model).card
    assert find_checkpoint(model).stat().st_size < 16e6
    assert card["hours"] > 0 and card["train_recordings"] > 0
    assert card.get("fitted") or card["steps"] > 0 and card["history"]


def test_every_switch_was_measured():
    figures = switches.FIGURES.read()
    assert (
        set(figures["runs"]) == {*switches.SWITCHES, switches.PUBLISHED}
        and figures["minutes"] > 0.5
    )
    assert all(run["steps"] > 10 for run in figures["runs"].values())


def test_every_set_of_options_was_measured_with_the_shipped_model():
    figures = encoding_options.FIGURES.read()
    assert (
        set(figures["rows"]) == set(encoding_options.OPTIONS)
        and figures["checkpoint"] == SparseCodec.load("music").digest
    )
    rows = figures["rows"]
    article, shares = rows["as the article"], ("l2", "l1")
    for share in shares:
        for others in ("4 candidates", "24 candidates"):  # "change little"
            assert rows[others][share] == pytest.approx(article[share], abs=0.007)
        assert rows["merging at a cosine of 0.9"][share] == article[share]  # "nothing to merge"
    greedy = rows[EFFORT_ROWS["fast"]]
    assert greedy["seconds"] < article["seconds"] / 2  # "more than half of the time"
    assert greedy["l1"] < article["l1"] - 0.1  # "much of the quality"
    at_the_end = rows["refinement at the end only"]
    assert article["l1"] - 0.01 < at_the_end["l1"] < article["l1"]  # "nearly as much"
    assert at_the_end["seconds"] < 0.75 * article["seconds"]  # "two thirds of the time"


def test_every_way_to_look_further_was_measured_with_the_shipped_model():
    figures = looking_further.FIGURES.read()
    assert figures["checkpoint"] == SparseCodec.load("music").digest
    ways = {*looking_further.OPTIONS, *looking_further.FURTHER, looking_further.STILL}
    assert all(set(segment) == ways for segment in figures["segments"].values())
    means = means_of(list(figures["segments"].values()))
    first, anywhere = (means[way] for way in list(looking_further.OPTIONS)[:2])
    assert first["onset_f"] > anywhere["onset_f"] + 0.1  # "far better"
    for share in ("l2", "l1"):  # "about as much"
        assert first[share] == pytest.approx(anywhere[share], abs=0.01)
    for group in ("string quartet", "brass", "woodwinds"):  # "less of bowed and blown music"
        segment = figures["segments"][group]
        assert segment[looking_further.STILL]["l1"] < segment[AS_ARTICLE]["l1"] - 0.005
    steps, shorter = (means[way] for way in looking_further.FURTHER)
    assert shorter["l2"] < steps["l2"] and shorter["l1"] < steps["l1"]
    assert 1.5 * steps["seconds"] < shorter["seconds"] < 2.5 * steps["seconds"]  # "twice"
    opinions = [means[f"{n} events"]["opinion"] for n in (48, 64, 128)]
    assert first["opinion"] < opinions[0] < opinions[1] < opinions[2]
    few, often = means["128 events"], means["128 events, refined twice as often"]
    assert often["l1"] > few["l1"] and often["seconds"] > 1.1 * few["seconds"]
    assert abs(often["opinion"] - few["opinion"]) < 0.1  # "little heard"


def test_both_magnitudes_and_phases_hold_the_opinion_of_the_high_point_down():
    high = list(looking_further.FIGURES.read()["high"].values())
    ours, with_magnitudes, with_phases = (
        np.mean([opinions[way] for opinions in high]) for way in looking_further.EXCHANGES
    )
    assert ours + 0.3 < min(with_magnitudes, with_phases)
    assert abs(with_magnitudes - with_phases) < 0.1  # "by about as much"
    assert with_magnitudes < 4.1  # "hardly more than 4"


def test_speech_at_a_low_rate_is_best_with_fewer_events_but_not_with_the_fewest():
    figures, speech = looking_further.FIGURES.read()["speech"], SparseCodec.load("speech")
    assert figures["checkpoint"] == speech.digest
    means = {int(n): np.mean(list(groups.values())) for n, groups in figures["estoi"].items()}
    assert list(means) == list(looking_further.N_EVENTS) and max(means) == speech.config.n_events
    best = max(means, key=means.__getitem__)
    assert min(means) < best < max(means) and means[best] > means[max(means)] + 0.02
    advice = f"`--rate {figures['rate']} --events {best}`"
    assert advice in (ROOT / "docs" / "codec.md").read_text()


def test_the_two_decoders_were_trained_alike_and_one_is_the_shipped_one():
    runs = second_decoder.FIGURES.read()["decoders"]
    assert runs["recurrent"]["checkpoint"] == SparseCodec.load("recurrent").digest
    assert runs["recurrent"]["train_recordings"] == runs["harmonic"]["train_recordings"]
    assert runs["recurrent"]["minutes"] == runs["harmonic"]["minutes"] >= 40
    assert all(len(run["history"]) >= 4 for run in runs.values())
    pace = paces(runs)
    assert pace["recurrent"] < pace["harmonic"]
    for share in ("refined", "sound"):  # "about as far"
        assert runs["recurrent"][share][0] == pytest.approx(runs["harmonic"][share][0], abs=0.06)


def test_times_were_looked_for_in_every_code_with_the_shipped_model():
    figures = compare_time_codes.FIGURES.read()
    assert (
        set(figures["codes"]) == set(CODES)
        and figures["checkpoint"] == SparseCodec.load("music").digest
    )
    assert figures["errors"] == list(compare_time_codes.ERRORS)
    shares = {
        name: [r["found"] for r in code["recovery"]] for name, code in figures["codes"].items()
    }
    assert min(shares["one-hot"]) > 0.9  # "wherever it belongs"
    assert (
        shares["seconds"][1] > shares["seconds"][0] and shares["seconds"][-1] < 0.1
    )  # "nearly right"; far away
    assert max(shares["bits"][1:]) < 0.1  # "not for learning"


@pytest.mark.parametrize("model", MODELS)
def test_files_of_events_were_measured_with_the_shipped_checkpoint_and_priors(model):
    figures = rate_distortion.FIGURES.read()[model]
    assert (
        figures["checkpoint"] == SparseCodec.load(model).digest
        and figures["priors"] == Priors.load(model).digest
    )
    row = next(row for row in figures["rows"] if row["name"] == f"scale {SCALE}")
    assert figures["seconds"] >= 30 and row["ratio"] >= 200
    # A voice's events come four times as often, and are rounded more coarsely to take as few bits.
    l2_loss, l1_loss = (0.025, 0.07) if model == "speech" else (0.02, 0.02)
    assert row["l2_loss"] <= l2_loss and row["l1_loss"] <= l1_loss


def test_the_documented_sizes_of_event_files_were_measured():
    figures, text = rate_distortion.FIGURES.read(), EVALUATION.read_text()
    rows = {row["name"]: row for row in figures["music"]["rows"]}
    assert f"lossless file has a ratio of {rows['lossless']['ratio']:.0f}" in text
    for rate, words in ((600, "lose {} % of L1"), (300, "they lose {} %")):
        assert words.format(f"{100 * rows[f'{rate} bits/s']['l1_loss']:.0f}") in text


@pytest.mark.parametrize(("model", "least"), [("music", 299), ("speech", 550)])
def test_files_have_higher_opinions_than_plain_codecs_of_8_kilobits(model, least):
    figures = rate_distortion.FIGURES.read()[model]
    ours = [row["opinion"] for row in figures["rows"] if row["bits"] >= least]
    rivals = {row["bits"]: row["opinion"] for row in figures["rivals"]}
    assert min(ours) > max(opinion for bits, opinion in rivals.items() if bits < 8100)
    assert max(ours) < max(opinion for bits, opinion in rivals.items() if bits > 11_000)
