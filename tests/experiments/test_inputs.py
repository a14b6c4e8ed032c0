"""The figures beside a checkpoint are shown if they were measured with exactly this checkpoint."""

import json
import shutil
from dataclasses import asdict

import pytest
import soundfile as sf

from experiments.clips import shipped_clips
from experiments.inputs import inputs_of
from report import ReportError
from sparse_codec import find_checkpoint
from sparse_codec.evaluation.frozen_set import read_manifest

MANIFEST = find_checkpoint("music").with_suffix(".manifest.json")


@pytest.fixture
def inputs(checkpoint, tmp_path, tone):
    """Load the small model, with figures beside it, for a sound of the reader's."""
    shutil.copy(checkpoint, tmp_path / "small.safetensors")
    sf.write(tmp_path / "tone.wav", tone, 22_050)

    def load(**figures):
        for suffix, values in figures.items():
            (tmp_path / f"small.{suffix}").write_text(json.dumps(values))
        return inputs_of(
            "music", ["music"], tmp_path / "small.safetensors", [tmp_path / "tone.wav"]
        )

    return load


def test_a_model_without_figures_has_none(inputs):
    loaded = inputs()
    assert loaded.evaluation is None and loaded.words is None
    assert not loaded.shipped and loaded.own_audio and "tone.wav" in loaded.remarks[0]


def test_a_shipped_model_has_its_own():
    loaded = inputs_of("speech", ["speech"])
    assert loaded.evaluation["checkpoint"] == loaded.words["checkpoint"] == loaded.codec.digest
    assert loaded.shipped and not loaded.own_audio
    assert (loaded.clips, loaded.long_clip) == shipped_clips("speech")


def test_a_shipped_model_can_be_given_own_audio(tmp_path, tone):
    sf.write(tmp_path / "tone.wav", tone, 22_050)
    loaded = inputs_of("music", ["music"], audio=[tmp_path / "tone.wav"])
    assert loaded.shipped and loaded.own_audio and loaded.evaluation is not None


def test_figures_of_this_checkpoint_manifest_and_options_are_there(inputs, codec, tmp_path):
    shutil.copy(MANIFEST, tmp_path / "small.manifest.json")
    figures = {
        "checkpoint": codec.digest,
        "manifest": read_manifest(MANIFEST).digest,
        "options": asdict(codec.config.encode),
    }
    assert inputs(json=figures).evaluation == figures


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"checkpoint": "0" * 64}, "of another checkpoint"),
        ({"manifest": "0" * 64}, "measured with another manifest than small.manifest.json"),
        ({"options": {"candidates": 99}}, "measured with other options than the checkpoint's"),
    ],
)
def test_other_figures_are_refused(inputs, codec, tmp_path, changes, problem):
    shutil.copy(MANIFEST, tmp_path / "small.manifest.json")
    figures = {
        "checkpoint": codec.digest,
        "manifest": read_manifest(MANIFEST).digest,
        "options": asdict(codec.config.encode),
    }
    with pytest.raises(ReportError, match=f"small.json: {problem}; run .* evaluate"):
        inputs(json=figures | changes)


def test_word_errors_of_another_checkpoint_are_refused(inputs):
    with pytest.raises(ReportError, match="another checkpoint; run python -m sparse_codec words"):
        inputs(**{"words.json": {"checkpoint": "0" * 64}})
