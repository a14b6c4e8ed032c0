"""`new` writes an article that builds, and refuses what would not."""

import subprocess
import sys

import numpy as np
import pytest
import soundfile as sf

from report.article.sound_folder import table_of


@pytest.fixture
def report(tmp_path):
    """Run a command of python -m report in a folder of its own."""

    def run(*words):
        command = [sys.executable, "-m", "report", *words]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)

    return run


def test_a_new_article_builds_at_once_and_takes_parameters(report, tmp_path):
    made = report("new", "first", "--title", "My <first> page")
    assert made.returncode == 0 and made.stdout.endswith("python -m report build first.py\n")
    assert (tmp_path / "first.py").read_text().startswith('"""My <first> page\n')
    planned = report("plan", "first.py")
    assert planned.returncode == 0 and "to compute: 5 of 5" in planned.stdout, planned.stderr
    built = report("build", "first.py", "--set", "SECONDS=0.1", "--jobs", "1")
    assert built.returncode == 0, built.stderr
    page = (tmp_path / "site" / "first.html").read_text()
    assert "My &lt;first&gt; page" in page and "SECONDS = 0.1" in page
    assert page.count('class="player') >= 2
    wrong = report("build", "first.py", "--set", "SECOND=1")
    assert wrong.returncode == 1 and "is it SECONDS (float)?" in wrong.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["there"], "there.py is there already"),
        (["my article"], "'my article' is no name for an article"),
        (["index.py"], "'index' is no name"),
        (["fine", "--title", 'a "b"'], "can not stand in a docstring"),
        (["no/folder/fine"], "No such file"),
    ],
)
def test_what_can_be_no_article_is_refused(report, tmp_path, words, message):
    (tmp_path / "there.py").write_text("")
    done = report("new", *words)
    assert done.returncode == 1 and message in done.stderr and done.stderr.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["there.py"]


def write_sounds(folder, names):
    """Write a tone under each name, all of them different."""
    for i, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        sf.write(folder / name, 0.3 * np.sin(np.arange(4000) / (5 + i)), 8000)


@pytest.mark.parametrize(
    ("names", "items", "systems"),
    [
        (["mix/a.wav", "mix/b.wav", "ours/a.wav", "ours/b.wav"], ["a", "b"], ["mix", "ours"]),
        (
            ["a/mix.wav", "a/ours.wav", "b/mix.wav", "b/ours.wav", "c/mix.wav"],
            ["a", "b", "c"],
            ["mix", "ours"],
        ),
        (
            ["my_song_mix.wav", "my_song_ours.wav", "other_mix.wav"],
            ["my_song", "other"],
            ["mix", "ours"],
        ),
        (["ours-1.flac", "ours-2.flac", "ours-3.flac"], ["ours"], ["1", "2", "3"]),
        (["kick.wav", "rain.wav"], ["kick", "rain"], ["sound"]),
        (["drums/kick.wav", "sky/rain.wav"], ["drums/kick", "sky/rain"], ["sound"]),
    ],
)
def test_names_of_files_and_folders_are_items_by_systems(tmp_path, names, items, systems):
    write_sounds(tmp_path, names)
    (tmp_path / "notes.txt").write_text("no sound")
    table = table_of(tmp_path)
    assert list(table) == items
    assert sorted({system for row in table.values() for system in row}) == systems
    assert sorted(str(file) for row in table.values() for file in row.values()) == sorted(names)


def test_a_folder_of_sounds_becomes_a_page_that_builds(report, tmp_path):
    names = ["mix/it's.wav", "mix/b.wav", "ours/it's.wav", "ours/b.wav"]
    write_sounds(tmp_path / "My sounds", names)
    loud = 1.5 * np.sin(np.arange(4000)[:, None] / [9, 7])
    sf.write(tmp_path / "My sounds" / "ours" / "b.wav", loud, 8000, "FLOAT")
    made = report("new", "--from", "My sounds")
    assert made.returncode == 0, made.stderr
    assert "4 sounds: 2 items by 2 systems" in made.stdout
    built = report("build", "My_sounds.py", "--jobs", "1")
    assert built.returncode == 0, built.stderr
    page = (tmp_path / "site" / "My_sounds.html").read_text()
    assert "Sounds of My sounds" in page and page.count('class="player"') == 4
    assert page.count('data-channels="2"') == 1
    assert "clipped: the sounds are as they were given" in page


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--from", "nowhere"], "there is no folder nowhere"),
        (["--from", "."], "there are no sounds in ."),
        (["--from", "damaged"], "a.wav is no sound that libsndfile reads"),
    ],
)
def test_a_folder_without_sounds_is_refused(report, tmp_path, words, message):
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "a.wav").write_bytes(b"no sound")
    if words[1] == ".":
        (tmp_path / "damaged" / "a.wav").unlink()
    done = report("new", "page", *words)
    assert done.returncode == 1 and message in done.stderr and done.stderr.count("\n") == 1
    assert not (tmp_path / "page.py").exists()
