"""Values that authors give as they have them are shown, and stored by their content."""

import dataclasses
import re
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from matplotlib.figure import Figure as MatplotlibFigure
from PIL import Image as PillowImage

from report import (
    Compare,
    FolderStore,
    Grid,
    Image,
    MemoryStore,
    Player,
    Row,
    Sound,
    Table,
    build,
    use_store,
)
from report.article import given
from report.article.components import as_component, flatten
from report.artifacts.media import encode, to_int16

RATE = 8000
LEFT = 0.4 * np.sin(np.arange(4000) / 5)
BOTH = np.stack([LEFT, LEFT[::-1] / 2], axis=1)


@pytest.fixture(autouse=True)
def store():
    with use_store(MemoryStore()) as session:
        yield session


@pytest.fixture
def folder(tmp_path, monkeypatch):
    sf.write(tmp_path / "a_sound.wav", to_int16(BOTH)[0], RATE)
    PillowImage.new("RGB", (6, 4), "red").save(tmp_path / "a_picture.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def samples(artifact):
    return artifact.value.samples


@pytest.mark.parametrize(
    "give",
    [
        lambda: Player("a_sound.wav"),
        lambda: Player(Path("a_sound.wav")),
        lambda: Player(BOTH, RATE),
        lambda: Player(BOTH.T, RATE, "a title"),
        lambda: Player(Sound(BOTH, RATE)),
        lambda: as_component(Sound(BOTH, RATE)),
        lambda: as_component(Path("a_sound.wav")),
    ],
)
def test_a_sound_is_played_however_it_is_given(folder, give):
    player = give()
    assert samples(player.sound).tolist() == to_int16(BOTH)[0].tolist()
    assert player.sound.info["samplerate"] == RATE and player.sound.info["channels"] == 2
    assert player.title in ("a sound", "a title", "Sound")
    made_by = player.sound.record.function
    assert made_by in ("report.article.given.by_content", "report.article.given.sound_file")


def test_a_tensor_and_a_list_of_numbers_are_arrays():
    torch = pytest.importorskip("torch", reason="needs PyTorch: pip install '.[codec]'")
    assert (
        samples(Player(torch.from_numpy(LEFT), RATE).sound).tolist() == to_int16(LEFT)[0].tolist()
    )
    assert samples(Player(LEFT.tolist(), RATE).sound).tolist() == to_int16(LEFT)[0].tolist()


def test_the_same_content_is_stored_once_and_another_is_another(store):
    one, two = Player(LEFT, RATE), Player(LEFT.copy(), RATE, "again")
    assert one.sound.record.key == two.sound.record.key and store.computed == 1
    assert Player(LEFT / 2, RATE).sound.record.key != one.sound.record.key
    assert Player(LEFT, RATE + 1).sound.record.key != one.sound.record.key


def test_a_comparison_takes_a_dict_of_arrays_and_versions_without_pictures():
    by_dict = Compare({"mix": BOTH, "model": LEFT}, samplerate=RATE)
    assert by_dict.title == "mix and model"
    assert [(label, picture) for label, _, picture in by_dict.items] == [
        ("mix", None),
        ("model", None),
    ]
    assert [sound.info["channels"] for _, sound, _ in by_dict.items] == [2, 1]
    assert Compare("t", {"mix": Sound(LEFT, RATE)}).title == "t"
    assert len(Compare("t", [("a", Sound(LEFT, RATE)), ("b", Sound(BOTH, RATE))]).items) == 2


def test_a_grid_takes_a_dict_of_dicts_with_gaps():
    grid = Grid(
        "Songs", {"one": {"mix": BOTH}, "two": {"model": LEFT, "mix": LEFT}}, samplerate=RATE
    )
    assert list(grid.columns) == ["mix", "model"]
    assert [[sound is not None for sound in sounds] for _, sounds in grid.rows] == [
        [True, False],
        [True, True],
    ]


def test_a_figure_is_a_picture_with_its_words_and_its_time_axis(folder):
    drawing = MatplotlibFigure(figsize=(2, 1))
    axes = drawing.add_axes((0.25, 0.2, 0.5, 0.7))
    axes.plot([1, 2])
    axes.set(title="Decay", xlabel="time (s)", ylabel="level (dB)")
    image = as_component(drawing)
    assert image.artifact.info["alt"] == "Decay; level (dB) against time (s)"
    assert image.artifact.info["plot"] == [0.25, 0.75]
    assert Player(LEFT, RATE, picture=drawing).picture.sha256 == image.artifact.sha256


@pytest.mark.parametrize(
    "shown_in",
    [
        lambda figure: Row([figure]),
        lambda figure: Row([[figure]]),
        lambda figure: Table(["plot"], [[figure]], ""),
    ],
)
def test_a_figure_inside_a_component_is_drawn_once(shown_in, monkeypatch):
    drawn = []
    monkeypatch.setattr(given, "encode_figure", lambda figure: drawn.append(1) or encode(figure))
    drawing = MatplotlibFigure(figsize=(2, 1))
    drawing.add_axes((0.25, 0.2, 0.5, 0.7)).set(title="Decay")
    shown_in(drawing)
    assert len(drawn) == 1


def test_pictures_of_pillow_and_files_are_shown(folder):
    from_file = as_component(Path("a_picture.png")).artifact
    assert from_file.info["alt"] == "a picture" and from_file.info["width"] == 6
    clear = PillowImage.new("RGBA", (6, 4), (255, 0, 0, 0))
    assert as_component(clear).artifact.info["alt"] == "A picture of 6 x 4 pixels"
    assert Image("a_picture.png").artifact.sha256 == from_file.sha256


def test_a_figure_of_plotly_is_a_still_picture():
    plotly = pytest.importorskip("plotly.graph_objects", reason="pip install plotly kaleido")
    figure = plotly.Figure()
    figure.update_layout(title="Energy")
    try:
        figure.to_image(format="png")
    except Exception as error:  # of plotly, kaleido and a browser
        with pytest.raises(ValueError, match="needs the package kaleido, and Chrome"):
            as_component(figure)
        pytest.skip(f"plotly draws nothing here: {str(error)[:80]}")
    assert as_component(figure).artifact.info["alt"] == "Energy"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (TimeoutError(), r"\(TimeoutError\)"),
        (OSError("the browser\n  has closed"), r"\(OSError: the browser has closed\)"),
        (RuntimeError("no Chrome"), r"\(RuntimeError: no Chrome\)"),
    ],
    ids=["slow", "closed", "missing"],
)
def test_a_figure_of_plotly_that_no_browser_draws_says_what_is_needed(error, said):
    def to_image(self, **_options):
        raise error

    kind = type("Figure", (), {"__module__": "plotly.graph_objs", "to_image": to_image})
    with pytest.raises(ValueError, match=f"{said}; it needs the package kaleido, and Chrome"):
        as_component(kind())


@dataclasses.dataclass
class Score:
    name: str
    snr_db: float


FRAME = {"name": ["a", None], "value": [1.23456789, float("nan")]}
TABLES = {
    "pandas": lambda library: library.DataFrame(FRAME),
    "polars": lambda library: library.DataFrame(FRAME),
}


@pytest.mark.parametrize("library", TABLES)
def test_frames_are_tables_with_all_digits_in_their_data(library):
    frame = TABLES[library](pytest.importorskip(library, reason=f"pip install {library}"))
    table = as_component(frame)
    assert isinstance(table, Table) and list(table.headers) == ["name", "value"]
    assert table.rows == [["a", "1.23457"], [None, None]]
    assert table.data.value == {
        "columns": ["name", "value"],
        "rows": [["a", 1.23456789], [None, None]],
    }


def test_an_index_that_says_something_is_a_column():
    pandas = pytest.importorskip("pandas", reason="pip install pandas")
    table = as_component(pandas.Series([1, 2], index=["low", "high"], name="n"))
    assert list(table.headers) == ["index", "n"] and table.rows == [["low", 1], ["high", 2]]


def test_dataclasses_are_a_table():
    (table,) = flatten([Score("a", 1.5), Score("b", 2.0)])
    assert list(table.headers) == ["name", "snr db"] and table.rows == [["a", "1.5"], ["b", "2"]]
    assert table.data.value["rows"] == [["a", 1.5], ["b", 2.0]]
    assert len(flatten([Player(LEFT, RATE), Player(LEFT, RATE)])) == 2  # these are no rows


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("missing.wav", "there is no file missing.wav"),
        (".", ". is a folder; give a file"),
        ("notes.txt", "notes.txt is no sound that libsndfile reads, and no PNG"),
    ],
)
def test_files_that_can_not_be_shown_are_named(folder, name, message):
    (folder / "notes.txt").write_text("hello")
    with pytest.raises(ValueError, match=re.escape(message)):
        Player(name)


ARTICLE = '''"""Given values"""
import numpy as np
from pathlib import Path
from report import Compare, Group, Player, Sound, Table
TONE = 0.4 * np.sin(np.arange(8000) / 5)

# %%
Sound(np.stack([TONE, TONE / 2], 1), 8000)

# %%
Group([Player("beside.wav"), Path("beside.wav")])

# %%
Table(["sound"], [[Sound(TONE, 8000)]], "One.")

# %%
Compare({"mix": TONE, "model": TONE / 2}, samplerate=8000)
'''


def test_an_article_of_given_values_builds_and_is_found_again(tmp_path):
    """Its files are those beside the script; each value is a call, and so has a record."""
    (tmp_path / "of").mkdir()
    script = tmp_path / "of" / "given.py"
    script.write_text(ARTICLE)
    sf.write(tmp_path / "of" / "beside.wav", BOTH, RATE)
    store = FolderStore(tmp_path / "store")
    first = build([script], tmp_path / "site", store)
    page = (tmp_path / "site" / "given.html").read_text()
    assert page.count('class="player"') == 6 and page.count('data-channels="2"') == 3
    assert "given/by_content/1" in page and "given/sound_file/1" in page
    assert str(tmp_path) not in page
    again = build([script], tmp_path / "site", store)
    assert first.computed == 4 and again.computed == 0
