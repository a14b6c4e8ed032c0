"""The main job, end to end, on shipped and on the reader's audio.

Two sites are built for all tests of this file: that of the shipped models, with a short clip for
each article, and that of the reader's audio with the small codec.
"""

import functools
import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

import experiments.build
from experiments.build import main
from experiments.clips import SHIPPED, clips_of_folder, shipped_clips
from experiments.sections import sounds
from report import MemoryStore, use_store
from report.site.manifest import GENERATOR
from sparse_codec import SparseCodec

ROOT = Path(__file__).parent.parent
CLIP = str(SHIPPED / "music" / "bach_bwv309.flac")
SECONDS = 2.9  # one window
SECTIONS = (
    *("Listen", "How it works", "The encoder in full", "The decoder in full"),
    *("How it was trained", "Previous work", "Examples", "The verdict", "What is wrong", "Cite"),
)


def build(folder: Path, *arguments: str) -> int:
    """Build `folder/site` with the store `folder/store`. Returns: the exit code."""
    places = ["--out", str(folder / "site"), "--store", str(folder / "store")]
    return main([*places, *arguments])


def tree(folder: Path) -> dict[str, bytes]:
    return {
        str(f.relative_to(folder)): f.read_bytes() for f in sorted(folder.rglob("*")) if f.is_file()
    }


@pytest.fixture(scope="module", autouse=True)
def commit():
    """Ask git once, so that two builds are of one commit even while somebody commits."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("experiments.build._git", functools.cache(experiments.build._git))
        yield


# ---- the shipped models


@pytest.fixture(scope="module")
def short_clips():
    """Let an article have one short example, which is also its long clip, so that all run."""
    clips = {}
    for article in ("music", "speech"):
        examples, _ = shipped_clips(article)
        short = replace(examples[0], seconds=SECONDS)
        clips[article] = [short], short
    with pytest.MonkeyPatch.context() as patch:
        for module in ("experiments.inputs", "experiments.clips"):
            patch.setattr(f"{module}.shipped_clips", lambda article="music": clips[article])
        yield clips


@pytest.fixture(scope="module")
def shipped(short_clips, tmp_path_factory) -> Path:
    """The four articles; the store stays beside the site."""
    folder = tmp_path_factory.mktemp("shipped")
    with pytest.MonkeyPatch.context() as patch:
        # One clip is not the mean of five.
        patch.setattr("experiments.sections.evaluation.AGREEMENT", 1.0)
        assert build(folder) == 0
    return folder / "site"


@pytest.mark.slow
def test_four_articles_and_an_index_from_the_shipped_models(shipped):
    """With one short clip for each; the whole site is what `make site` builds."""
    index = (shipped / "index.html").read_text()
    for name in ("music", "speech", "ablations", "listening"):
        assert f'href="{name}.html"' in index
        page = (shipped / f"{name}.html").read_text()
        assert "No held-out figures" not in page and "No word errors" not in page
    assert "Word errors" in (shipped / "speech.html").read_text()
    assert "published configuration" in (shipped / "ablations.html").read_text()


@pytest.mark.slow
def test_the_article_has_its_sections_sounds_and_figures(shipped):
    page = (shipped / "music.html").read_text()
    for section in SECTIONS:
        assert section in page
    manifest = json.loads((shipped / "manifest.json").read_text())
    functions = {
        artifact["function"].rsplit(".", 1)[-1]
        for name, artifact in manifest["artifacts"].items()
        if name.startswith("music/")
    }
    assert {"original", "rendered", "event_sounds", "stage_sound", "film"} <= functions
    assert {"vectors_picture", "spectrogram"} <= functions


@pytest.mark.slow
def test_every_file_of_the_site_is_used(shipped):
    pages = "".join(page.read_text() for page in shipped.glob("*.html"))
    manifest = json.loads((shipped / "manifest.json").read_text())
    # The sounds that events may have instead are named there.
    choices = "".join(path.read_text() for path in (shipped / "media").glob("*.json"))
    for name in manifest["files"]:
        assert (shipped / name).stat().st_size > 0
        assert name in pages or not name.startswith("media/") or Path(name).stem in choices
    assert "http://" not in pages.replace("http://www.w3.org", "")


@pytest.mark.slow
def test_no_shipped_sound_is_silent_clipped_or_constant(shipped):
    paths = list((shipped / "media").glob("*.flac"))
    assert len(paths) > 20
    for path in paths:
        audio, samplerate = sf.read(path)
        assert samplerate == 22_050
        assert audio.std() > 1e-5, path.name
        assert np.mean(np.abs(audio) >= 32767 / 32768) < 1e-3, path.name


@pytest.mark.slow
def test_a_shipped_model_computes_the_same_bytes_again(shipped, short_clips):
    artifacts = json.loads((shipped / "manifest.json").read_text())["artifacts"]
    published = {artifact["sha256"] for artifact in artifacts.values()}
    (clip,), _ = short_clips["music"]
    codec = SparseCodec.load("music")
    with use_store(MemoryStore()):
        assert sounds.encoded(clip, codec).sha256 in published
        for events in (sounds.clip_events(clip, codec), sounds.half_events(clip, codec)):
            assert sounds.rendered(events, codec).sha256 in published


@pytest.mark.slow
def test_examples_that_no_longer_measure_as_stored_fail_the_build(
    shipped, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr("experiments.sections.evaluation.AGREEMENT", 0.0)
    store = str(shipped.parent / "store")
    assert main(["--out", str(tmp_path / "site"), "--store", store, "--article", "music"]) == 1
    assert "measure it again" in capsys.readouterr().err
    assert not (tmp_path / "site").exists()


# ---- the reader's audio


@pytest.fixture(scope="module")
def small(small_codec, tmp_path_factory) -> str:
    """The small codec as a checkpoint."""
    path = tmp_path_factory.mktemp("checkpoint") / "small.safetensors"
    small_codec.save(path)
    return str(path)


@pytest.fixture(scope="module")
def own_clip(tmp_path_factory) -> str:
    """A clip whose name is no UTF-8 and no identifier."""
    path = tmp_path_factory.mktemp("clip") / os.fsdecode(b"caf\xe9 (live) 1.5.flac")
    return str(shutil.copyfile(CLIP, path))


@pytest.fixture(scope="module")
def own(own_clip, small, tmp_path_factory) -> Path:
    """The article of one clip by the small codec; the store stays beside the site."""
    folder = tmp_path_factory.mktemp("own")
    assert build(folder, "--audio", own_clip, "--checkpoint", small) == 0
    return folder / "site"


@pytest.mark.slow
def test_a_clip_of_any_name_has_a_page(own, own_clip):
    page, events = sorted(own.glob("music-*.html"), key=lambda page: len(page.name))
    assert events.name == f"{page.stem}-events.html"
    assert page.name.isascii()
    for text in (page.read_text(), (own / "music.html").read_text()):
        assert r"caf\xe9 (live) 1.5" in text and Path(own_clip).parent.name not in text


@pytest.mark.slow
def test_two_builds_are_the_same_bytes(own, own_clip, small, tmp_path):
    """From an empty store, so that everything is computed again."""
    assert build(tmp_path, "--audio", own_clip, "--checkpoint", small) == 0
    assert tree(tmp_path / "site") == tree(own)


@pytest.mark.slow
def test_a_warm_build_computes_nothing(own, own_clip, small, capsys):
    assert build(own.parent, "--audio", own_clip, "--checkpoint", small) == 0
    assert "artifacts computed: 0 " in capsys.readouterr().out


@pytest.mark.slow
def test_a_warm_build_imports_nothing_that_only_computing_needs(own, own_clip, small):
    places = ["--out", str(own), "--store", str(own.parent / "store")]
    words = [*places, "--audio", own_clip, "--checkpoint", small]
    done = subprocess.run(
        [sys.executable, "-X", "importtime", str(ROOT / "build_site.py"), *words],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0 and "artifacts computed: 0 " in done.stdout, done.stderr[-2000:]
    lines = [line for line in done.stderr.splitlines() if line.startswith("import time:")]
    imported = {line.rpartition("|")[2].strip() for line in lines}
    assert "experiments.sections.sounds" in imported  # so the article's own process is seen, too
    assert imported.isdisjoint({"torch", "scipy", "matplotlib", "sklearn"})


@pytest.mark.slow
def test_audio_whose_first_half_is_silent_still_makes_an_article(tmp_path):
    late = np.zeros(2**17)
    late[100_000:] = 0.3 * np.sin(np.arange(2**17 - 100_000) / 10)
    assert build(tmp_path, "--audio", write(tmp_path / "late.wav", late)) == 0
    page = (tmp_path / "site" / "music.html").read_text()
    assert "holds no events" not in page and page.count('<figure class="roll') == 1
    (own,) = (tmp_path / "site").glob("music-*-events.html")
    assert own.name == "music-late-events.html"


def test_a_speech_folder_gives_five_examples_and_a_long_clip(tmp_path):
    for chapter in (1, 2, 3):
        for sentence in (1, 2):
            name = f"LJ{chapter:03d}-{sentence:04d}.wav"
            write(tmp_path / name, 0.1 * np.sin(np.arange(7 * 22_050) / 20))
    examples, long = clips_of_folder(tmp_path)
    assert len(examples) == 5 and long.seconds == 7.0
    assert len({clip.path for clip in [*examples, long]}) == 6


@pytest.mark.slow
def test_train_and_build_in_one_go(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data = tmp_path / "data"
    data.mkdir()
    for clip in (SHIPPED / "music").glob("*.flac"):
        (data / clip.name).symlink_to(clip)
    (tmp_path / "small.toml").write_text(SMALL)
    training = ["--train", "small.toml", "--data", str(data), "--minutes", "0.05"]
    assert main([*training, "--audio", CLIP]) == 0
    assert (tmp_path / "runs" / "small" / "model.safetensors").exists()
    assert "No held-out figures" in (tmp_path / "site" / "music.html").read_text()


SMALL = """
[codec]
n_events = 3
[encode]
candidates = 2
interim = 0
refine = 0
[encoder]
channels = 8
dilations = [1, 2]
hidden = 16
[decoder]
hidden = 16
[training]
batch = 2
pool = 4
"""


def write(path: Path, samples: np.ndarray) -> str:
    sf.write(path, samples, 22_050, subtype="FLOAT")
    return str(path)


# ---- errors


NOISE = np.random.default_rng(0).uniform(-0.1, 0.1, 2**15)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (lambda p: ["--audio", str(p / "gone.wav")], "no such file"),
        (lambda p: ["--audio", write(p / "silent.wav", np.zeros(2**17))], "silent"),
        (lambda p: ["--audio", write(p / "nan.wav", np.full(2**17, np.nan))], "NaN"),
        (lambda p: ["--audio", str(Path(__file__))], "cannot be read as audio"),
        (lambda p: ["--checkpoint", "musik"], "no such checkpoint"),
        (lambda p: ["--data-dir", str(p / "gone")], "no such folder"),
        (
            lambda p: ["--checkpoint", str(Path(__file__).parent.parent / "README.md")],
            "not a checkpoint",
        ),
        (lambda p: ["--train", str(p / "gone.toml"), "--data", str(p)], "gone.toml"),
        (
            lambda p: ["--train", str(p / "gone.toml"), "--data", str(p), "--minutes", "0"],
            "give more than 0",
        ),
        (
            lambda p: [
                *("--audio", write(p / "noise.wav", NOISE)),
                *("--checkpoint", str(p / "small.safetensors"), "--store", "/dev/null/store"),
            ],
            "/dev/null/store",
        ),
        (lambda p: ["--out", "/dev/null/site"], "/dev/null/site"),
    ],
)
def test_an_error_is_one_line_and_leaves_the_earlier_site_whole(
    arguments, message, small, tmp_path, capsys, monkeypatch
):
    shutil.copy(small, tmp_path / "small.safetensors")
    monkeypatch.chdir(tmp_path)
    earlier = tmp_path / "site"
    earlier.mkdir()
    manifest = {"generator": GENERATOR, "files": ["index.html"]}
    (earlier / "manifest.json").write_text(json.dumps(manifest))
    (earlier / "index.html").write_text("earlier")
    assert main(arguments(tmp_path)) == 1
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert error.startswith("error: ") and message in error
    assert (earlier / "index.html").read_text() == "earlier"
    assert not list(tmp_path.glob(".site*"))


@pytest.mark.parametrize(
    "arguments",
    [
        ["--train", "x.toml"],
        ["--audio", "a.wav", "--data-dir", "b"],
        ["--audio", "a.wav", "--article", "ablations"],
    ],
)
def test_arguments_that_do_not_go_together_are_wrong_usage(arguments):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
