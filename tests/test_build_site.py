"""The main job, end to end, with the shipped model on shipped and on the reader's audio."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from experiments.build import main
from experiments.clips import SHIPPED, clips_of_folder, shipped_clips
from report.site.build import GENERATOR


def tree(folder: Path) -> dict[str, bytes]:
    return {
        str(f.relative_to(folder)): f.read_bytes() for f in sorted(folder.rglob("*")) if f.is_file()
    }


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """The article of one shipped clip; the store stays beside it."""
    folder = tmp_path_factory.mktemp("build")
    clip = str(SHIPPED / "music" / "bach_bwv309.flac")
    assert (
        main(["--out", str(folder / "site"), "--store", str(folder / "store"), "--audio", clip])
        == 0
    )
    return folder / "site"


@pytest.mark.slow
def test_the_article_has_its_sections_sounds_and_figures(site):
    page = (site / "music.html").read_text()
    for section in (
        "Introduction",
        "Streaming",
        "Previous work",
        "The encoder",
        "The decoder",
        "Training",
        "Evaluation",
        "Citation",
        "Notes",
    ):
        assert section in page
    manifest = json.loads((site / "manifest.json").read_text())
    made = {artifact["function"].rsplit(".", 1)[-1] for artifact in manifest["artifacts"].values()}
    assert {
        "original",
        "rendered",
        "event_sound",
        "stage_sound",
        "film",
        "vectors_picture",
        "spectrogram",
    } <= made
    chosen = "".join(
        path.read_text() for path in (site / "media").glob("*.json")
    )  # what events may sound like
    for name in manifest["files"]:
        assert (site / name).stat().st_size > 0
        assert name in page or not name.startswith("media/") or Path(name).stem in chosen
    assert "http://" not in page.replace("http://www.w3.org", "")


@pytest.mark.slow
def test_three_articles_and_an_index_from_the_shipped_models(tmp_path, monkeypatch):
    """With one short clip for each, so that all sections run; the whole site is what `make site` builds."""
    few = {name: shipped_clips(name) for name in ("music", "speech")}
    short = {
        name: (examples[:1], replace(long, seconds=3.0)) for name, (examples, long) in few.items()
    }
    monkeypatch.setattr("experiments.build.shipped_clips", lambda name: short[name])
    monkeypatch.setattr(
        "experiments.sections.evaluation.AGREEMENT", 1.0
    )  # one clip is not the mean of five
    assert main(["--out", str(tmp_path / "site"), "--store", str(tmp_path / "store")]) == 0
    index = (tmp_path / "site" / "index.html").read_text()
    for name in ("music", "speech", "ablations"):
        assert f'href="{name}.html"' in index
        page = (tmp_path / "site" / f"{name}.html").read_text()
        assert "No held-out figures" not in page and "No word errors" not in page
    assert "Word errors" in (tmp_path / "site" / "speech.html").read_text()
    assert "published configuration" in (tmp_path / "site" / "ablations.html").read_text()


@pytest.mark.slow
def test_examples_that_no_longer_measure_as_stored_fail_the_build(tmp_path, monkeypatch, capsys):
    examples, long = shipped_clips("music")
    monkeypatch.setattr(
        "experiments.build.shipped_clips", lambda name: (examples[:1], replace(long, seconds=3.0))
    )
    monkeypatch.setattr("experiments.sections.evaluation.AGREEMENT", 0.0)
    assert (
        main(
            [
                "--out",
                str(tmp_path / "site"),
                "--store",
                str(tmp_path / "store"),
                "--article",
                "music",
            ]
        )
        == 1
    )
    assert "measure it again" in capsys.readouterr().err
    assert not (tmp_path / "site").exists()


def test_a_speech_folder_gives_five_examples_and_a_long_clip(tmp_path):
    for name in (
        "LJ001-0001",
        "LJ001-0002",
        "LJ002-0001",
        "LJ002-0002",
        "LJ003-0001",
        "LJ003-0002",
    ):
        write(tmp_path / f"{name}.wav", 0.1 * np.sin(np.arange(7 * 22_050) / 20))
    examples, long = clips_of_folder(tmp_path)
    assert len(examples) == 5 and long.seconds == 7.0
    assert len({clip.path for clip in [*examples, long]}) == 6


@pytest.mark.slow
def test_no_shipped_sound_is_silent_clipped_or_constant(site):
    sounds = list((site / "media").glob("*.wav"))
    assert len(sounds) > 20
    for path in sounds:
        audio, samplerate = sf.read(path)
        assert samplerate == 22_050
        assert audio.std() > 1e-5, path.name
        assert np.mean(np.abs(audio) >= 32767 / 32768) < 1e-3, path.name


@pytest.mark.slow
def test_two_builds_are_the_same_bytes(site, tmp_path):
    """From an empty store, so that everything is computed again."""
    clip = str(SHIPPED / "music" / "bach_bwv309.flac")
    assert (
        main(["--out", str(tmp_path / "site"), "--store", str(tmp_path / "store"), "--audio", clip])
        == 0
    )
    assert tree(tmp_path / "site") == tree(site)


@pytest.mark.slow
def test_a_warm_build_computes_nothing(site, capsys):
    clip = str(SHIPPED / "music" / "bach_bwv309.flac")
    assert main(["--out", str(site), "--store", str(site.parent / "store"), "--audio", clip]) == 0
    assert "artifacts computed: 0 " in capsys.readouterr().out


@pytest.mark.slow
def test_audio_whose_first_half_is_silent_still_makes_an_article(tmp_path):
    late = np.zeros(2**17)
    late[100_000:] = 0.3 * np.sin(np.arange(2**17 - 100_000) / 10)
    audio = write(tmp_path / "late.wav", late)
    arguments = [
        "--out",
        str(tmp_path / "site"),
        "--store",
        str(tmp_path / "store"),
        "--audio",
        audio,
    ]
    assert main(arguments) == 0
    assert "holds no events" in (tmp_path / "site" / "music.html").read_text()


@pytest.mark.slow
def test_train_and_build_in_one_go(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    data = tmp_path / "data"
    data.mkdir()
    for clip in (SHIPPED / "music").glob("*.flac"):
        (data / clip.name).symlink_to(clip)
    (tmp_path / "small.toml").write_text(SMALL)
    clip = str(SHIPPED / "music" / "bach_bwv309.flac")
    assert (
        main(["--train", "small.toml", "--data", str(data), "--minutes", "0.05", "--audio", clip])
        == 0
    )
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


@pytest.mark.parametrize(
    ("make", "told"),
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
        (lambda p: ["--article", "music", "--store", "/dev/null/store"], "/dev/null/store"),
        (lambda p: ["--out", "/dev/null/site"], "/dev/null/site"),
    ],
)
def test_an_error_is_one_line_and_leaves_the_earlier_site_whole(
    make, told, tmp_path, capsys, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    earlier = tmp_path / "site"
    earlier.mkdir()
    (earlier / "manifest.json").write_text(json.dumps({"generator": GENERATOR}))
    (earlier / "index.html").write_text("earlier")
    arguments = make(tmp_path)
    assert main(arguments) == 1
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert error.startswith("error: ") and told in error
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
