"""Every method is measured alike, on one segment of a shipped clip with the small codec."""

import dataclasses
import json

import numpy as np
import pytest
import torch

from sparse_codec import EncodeOptions, SparseCodec
from sparse_codec.config import MEASURE
from sparse_codec.evaluation import measure
from sparse_codec.evaluation.frozen_set import (
    ManifestError,
    Segment,
    freeze,
    read_manifest,
    write_manifest,
)
from sparse_codec.evaluation.measure import (
    WINDOWS,
    Ruler,
    count_harmful,
    encode_again,
    evaluate,
    summarise,
    write_results,
)
from sparse_codec.evaluation.tables import markdown_results
from sparse_codec.evaluation.variations import VARIATIONS
from sparse_codec.evaluation.waveform_codecs import WAVEFORM_CODECS
from tests.clusters import running_cluster

OPTIONS = EncodeOptions(candidates=2, interim=5, refine=10)
CODECS = ("codec", "codec, greedy")
PLAIN = "codec, plain sum"
PURSUITS = ("matching pursuit", "orthogonal matching pursuit", "matching pursuit, 64")


@pytest.fixture(scope="module")
def ruler(small_codec, music):
    audio = music[: MEASURE.segment_samples]
    return Ruler(small_codec, Segment(audio / np.abs(audio).max(), "clips", "mozart"))


@pytest.fixture(scope="module")
def frozen(small_codec, recordings, tmp_path_factory):
    """A codec that was saved and loaded, and one segment of one file."""
    folder, config = tmp_path_factory.mktemp("evaluation"), small_codec.config
    small_codec.save(folder / "small.safetensors")
    files = freeze(recordings[:1], [], MEASURE.segment_samples, config.samplerate, each=1)
    write_manifest(folder / "manifest.json", files)
    return SparseCodec.load(folder / "small.safetensors"), read_manifest(folder / "manifest.json")


@pytest.fixture(scope="module")
def results(frozen, recordings):
    return evaluate(*frozen, recordings, OPTIONS)


@pytest.mark.slow
def test_every_method_has_its_figures(results):
    every = results["all"]
    assert every["segments"] == 1 and every == results["groups"]["clips"]
    for name in (*CODECS, PLAIN, *PURSUITS, *WAVEFORM_CODECS, "silence"):
        assert {"sound_l2", "sound_l1_4096", "distance", "log_mel"} <= every[name].keys(), name
    for name in (*CODECS, PLAIN, *PURSUITS):
        assert {"gap_l2", "gap_l1"} <= every[name].keys(), name
    for name in ("codec", *PURSUITS[:2]):
        for order in ("l2", "l1"):
            shares = every[name][order]
            assert len(shares) == 2 and shares[0] < shares[-1] < 1, (name, order)
    assert results["counts"] == [4, 16]  # of four windows, which may have four events each
    for name in (*CODECS, *WAVEFORM_CODECS):
        assert every[name]["bits_per_second"] > 0
    for name in VARIATIONS:
        assert every[name]["distance_to_reconstruction"] > 0
    assert every["silence"]["sound_l2"] == 0
    assert every["silence"]["distance"] > every["codec"]["distance"]
    assert every["orthogonal matching pursuit"]["l2_all"] >= every["matching pursuit"]["l2_all"]


@pytest.mark.slow
def test_the_results_are_plain_values_and_the_report_names_every_method(results, tmp_path):
    write_results(results, tmp_path / "results.json")
    assert json.loads((tmp_path / "results.json").read_text()) == json.loads(json.dumps(results))
    text = markdown_results(results)
    for name in (*CODECS, *PURSUITS, *WAVEFORM_CODECS, *VARIATIONS, "silence"):
        assert name in text, name
    assert "## all: 1 segments" in text and "## clips: 1 segments" in text
    assert markdown_results(json.loads(json.dumps(results))) == text


@pytest.mark.slow
def test_rivals_of_an_earlier_result_are_taken_over_without_their_times(
    frozen, recordings, results, monkeypatch
):
    monkeypatch.setattr(measure, "_rival_figures", None)  # it would fail
    again = evaluate(*frozen, recordings, OPTIONS, rivals=results)
    for group, earlier in ((again["all"], results["all"]), (again["groups"], results["groups"])):
        group, earlier = (x.get("clips", x) for x in (group, earlier))
        assert group.keys() == earlier.keys()
        for name in (*PURSUITS, "silence"):
            assert group[name] == {k: x for k, x in earlier[name].items() if k != "seconds"}
        assert group["codec"]["seconds"] > 0
        for key in ("l2", "sound_l1", "log_mel"):
            assert group["codec"][key] == earlier["codec"][key]


def test_rivals_of_another_set_or_of_other_counts_are_refused(frozen, recordings):
    digest = frozen[1].digest
    for other in ({"manifest": "0" * 64, "counts": [4, 16]}, {"manifest": digest, "counts": [8]}):
        with pytest.raises(ManifestError, match="leave --rivals out"):
            evaluate(*frozen, recordings, OPTIONS, rivals=other)


def test_shares_of_the_events_are_what_their_scene_takes_off(ruler):
    encoded = encode_again(ruler, OPTIONS)
    assert len(encoded.windows) == 4 and encoded.events.n_samples == ruler.half
    frames = ruler.original.shape[1]
    alone = [encoded.events.select([i]) for i in range(len(encoded.events))]
    left = ruler.original - sum(ruler.codec.scene(event, frames) for event in alone)
    half = ruler.half // ruler.config.hop
    energies = [x[:, :half].pow(2).sum() for x in (left, ruler.original)]
    assert 0 < encoded.shares[0] == pytest.approx(1 - (energies[0] / energies[1]).item(), abs=1e-4)


def test_more_events_than_the_configuration_has_may_be_asked_for(ruler):
    many, few = (
        encode_again(ruler, dataclasses.replace(OPTIONS, n_events=n_events)) for n_events in (16, 1)
    )
    assert len(many.events) > 4 * ruler.config.n_events and len(few.events) == 4
    assert many.shares[0] > few.shares[0]


def test_a_codec_of_any_window_is_measured_by_the_same_transforms(small_config, music):
    audio = music[: MEASURE.segment_samples]
    segment = Segment(audio / np.abs(audio).max(), "clips", "mozart")
    sound = torch.from_numpy(0.7 * np.roll(segment.audio, 30))
    shorter = dataclasses.replace(small_config, window=1024, hop=256)
    figures = [
        Ruler(SparseCodec(config), segment).measure_sound(sound)
        for config in (small_config, shorter)
    ]
    assert figures[0] == figures[1]
    shares = [figures[0][name] for name in ("sound_l2", *(f"sound_l2_{w}" for w in WINDOWS))]
    assert len(set(shares)) == 3 and all(0 < share < 1 for share in shares)


def test_the_gap_is_what_the_sound_loses_of_the_scene(ruler):
    half_as_loud = ruler.gap((1.0, 1.0), 0.5 * ruler.audio, MEASURE)
    assert half_as_loud["gap_l2"] == pytest.approx(0.25, abs=1e-4)
    assert half_as_loud["gap_l1"] == pytest.approx(0.5, abs=1e-4)
    same = ruler.gap((0.9, 0.8), ruler.audio, ruler.config)
    assert same == {
        "gap_l2": pytest.approx(-0.1, abs=1e-4),
        "gap_l1": pytest.approx(-0.2, abs=1e-4),
    }


def test_intelligibility_is_measured_of_speech_only(ruler):
    pytest.importorskip("pystoi")
    spoken = Ruler(ruler.codec, ruler.segment, speech=True)
    assert spoken.measure_sound(ruler.audio)["estoi"] == pytest.approx(1, abs=1e-3)
    assert "estoi" not in ruler.measure_sound(ruler.audio)


def test_the_original_itself_has_the_best_figures_and_silence_none(ruler):
    same, silent = ruler.measure_sound(ruler.audio), ruler.measure_sound(torch.zeros(ruler.half))
    best = [same[name] for name in ("sound_l2", "sound_l1", "distance", "log_mel")]
    assert best == pytest.approx([1, 1, 0, 0], abs=1e-5)
    assert silent["sound_l2"] == silent["sound_l1"] == 0 and silent["distance"] > 20
    assert "opinion" not in silent
    after = ruler.audio.clone()
    after[ruler.half + 4096 :] = 0  # after the samples that are measured
    assert ruler.measure_sound(after) == same


def test_an_event_that_adds_energy_is_counted(ruler):
    options = dataclasses.replace(OPTIONS, interim=0, refine=0, joint_gains=False)
    windows = encode_again(ruler, options).windows
    harmful = count_harmful(ruler, windows)
    gains = windows[-1].gains.copy()
    gains[-1] *= 100
    worse = dataclasses.replace(windows[-1], gains=gains)
    assert count_harmful(ruler, [*windows[:-1], worse]) == harmful + 1


def test_onsets_of_the_strongest_events_are_compared_with_the_labels(ruler):
    pytest.importorskip("mir_eval")
    labels = np.arange(16) / 32  # seconds
    labelled = Ruler(ruler.codec, dataclasses.replace(ruler.segment, onsets=labels[::2]))
    seconds = np.concatenate([labels[::2], labels[::2], labels[1::2] + 9])
    strong_first = labelled.measure_onsets(seconds, np.r_[np.ones(16), np.full(8, 0.1)])
    assert strong_first["onset_f"] == pytest.approx(1.0) and strong_first[
        "redundancy"
    ] == pytest.approx(8 / 24)
    strong_last = labelled.measure_onsets(seconds, np.r_[np.full(16, 0.1), np.ones(8)])
    assert strong_last["onset_f"] < 1
    assert "onset_f" not in ruler.measure_onsets(seconds, np.ones(24))  # no labels


def test_a_summary_is_the_mean_of_the_segments_that_have_a_figure():
    figures = [{"codec": {"l2": [0.2, 0.4], "onset_f": 0.5}}, {"codec": {"l2": [0.4, 0.8]}}]
    assert summarise(figures) == {"segments": 2, "codec": {"l2": [0.3, 0.6], "onset_f": 0.5}}
    assert summarise([]) == {"segments": 0}


@pytest.mark.slow
def test_figures_do_not_depend_on_the_number_of_processes(results, frozen, recordings):
    again = evaluate(*frozen, recordings, OPTIONS, jobs=2)
    assert _without_times(again) == _without_times(results)


def _without_times(value):
    """Figures but for those in seconds."""
    if isinstance(value, dict):
        return {key: _without_times(x) for key, x in value.items() if key != "seconds"}
    return value


@pytest.mark.slow
def test_figures_do_not_depend_on_a_cluster(results, frozen, recordings, tmp_path):
    with running_cluster(tmp_path, 1) as cluster:
        again = evaluate(*frozen, recordings, OPTIONS, dask=cluster.address)
    assert _without_times(again) == _without_times(results)
