"""The older form of articles builds unchanged; the script is made up in the style of those."""

import re
from html import unescape

import pytest

from report import CellError, FolderStore, ReportError, build
from report.article.comment_form import is_comment_form
from report.article.components import Group, Player, Prose, Row
from report.article.script import parse_script, read_metadata, run_cells

SCRIPT = '''"""[markdown]

# Plucked Strings, *Resynthesized*

A first sound, before any code has run; or [jump ahead](#Examples), or to the [`pluck` function](#The `pluck` Function).

"""

# example_1.recon_audio

"""[markdown]

First, some parameters[^why].

[^why]: They are few.

"""

# the samplerate, in hz
samplerate = 8000

# samplerate
n_samples = 2 ** 10

"""[markdown]
#The `pluck` Function

It decays:

1. quickly at first
2. slowly later
"""

from types import SimpleNamespace

import numpy as np

from report import Player, Sound, conjure

# TODO: tune this
@conjure
def pluck(pitch: float, n_samples: int, samplerate: int) -> Sound:
    """Not prose."""
    # example_1.recon_audio
    time = np.arange(n_samples) / samplerate
    return Sound(0.5 * np.sin(2 * np.pi * pitch * time) * np.exp(-4 * time), samplerate)


def example(pitch: float) -> dict:
    sound = pluck(pitch, n_samples, samplerate)
    return dict(
        header="# Together",
        recon_audio=Player(sound, f"Reconstruction at {pitch} Hz"),
        events=[Player(sound, f"Event {i} at {pitch} Hz") for i in (1, 2)])

"""[markdown]
# Examples

## Example 1
"""
# example_1.recon_audio
# example_1.events

"""[markdown]
## Example 2
"""

# example_2.recon_audio

# example_2.missing

# everything

example_1 = example(220)
example_2 = SimpleNamespace(**example(330))
everything = {"one": example_1, "two": example_2}
n_examples = len(everything)

f"""[markdown]
# Conclusion

There are {n_examples} examples of {n_samples / samplerate:.3f} s; `{n_samples / samplerate:.3f}` in code; {"<b>*"}.
"""

if __name__ == "__main__":
    raise SystemExit("this is for the command line")
'''  # noqa: E501


@pytest.fixture
def script(tmp_path):
    def write(text):
        path = tmp_path / "script.py"
        path.write_text(text)
        return path

    return write


@pytest.fixture
def page(script, tmp_path):
    build([script(SCRIPT)], tmp_path / "site", FolderStore(tmp_path / "store"))
    return (tmp_path / "site" / "script.html").read_text()


def run(path):
    return run_cells(parse_script(path), path, {})


def fails(path):
    with pytest.raises(CellError) as caught:
        run(path)
    return str(caught.value).splitlines()[0]


def words(page):
    """The text of the article, without markup, in one line."""
    main = re.search(r"<header>.*</main>", page, re.DOTALL)[0]
    return " ".join(unescape(re.sub(r"<[^>]+>", "", main)).split())


def in_order(text, expected):
    """Assert that each of `expected` stands in `text` behind the previous one."""
    at = 0
    for part in expected:
        at = text.find(part, at)
        assert at >= 0, f"{part!r} is not there, or too early"
        at += len(part)
    return True


def test_everything_stands_on_the_page_in_the_order_of_the_file(page):
    assert in_order(
        words(page),
        [
            "Plucked Strings, Resynthesized",
            "A first sound",
            "Reconstruction at 220 Hz",
            "First, some parameters",
            "# the samplerate, in hz samplerate = 8000 # samplerate n_samples = 2 ** 10",
            "The pluck Function",
            "quickly at first",
            "import numpy as np",
            "# TODO: tune this @conjure def pluck(pitch",
            '-> Sound: """Not prose."""',
            "# example_1.recon_audio time = np.arange",
            "def example(pitch: float)",
            "Examples",
            "Example 1",
            "Reconstruction at 220 Hz",
            "Event 1 at 220 Hz",
            "Event 2 at 220 Hz",
            "Example 2",
            "Reconstruction at 330 Hz",
            "# example_2.missing",
            "Together",
            "Reconstruction at 220 Hz",
            "Event 2 at 220 Hz",
            "Together",
            "Reconstruction at 330 Hz",
            "example_1 = example(220)",
            "Conclusion",
            'if __name__ == "__main__":',
        ],
    )
    assert words(page).count("Plucked Strings") == 1 and page.count("<audio") == 11


def test_headings_footnotes_lists_and_links_work_as_they_are(page):
    assert re.findall(r"<h1>(.*?)</h1>", page) == ["Plucked Strings, Resynthesized"]
    assert re.findall(r"<h2 id[^>]*>(.*?)</h2>", page)[:2] == [
        "The <code>pluck</code> Function",
        "Examples",
    ]
    assert re.findall(r"<h3[^>]*>(.*?)</h3>", page) == ["Example 1", "Example 2"]
    assert "<li>quickly at first</li>" in page and 'class="footnotes"' in page
    links = re.findall(r'href="#([^"]+)"', page)
    assert {"examples", "the-pluck-function"} <= set(links)
    assert all(f'id="{link}"' in page for link in links)


def test_an_f_string_quotes_values_as_plain_text(page):
    assert "There are 2 examples of 0.128 s; <code>0.128</code> in code; &lt;b&gt;*." in page


def test_an_f_string_has_the_values_of_its_place(script):
    path = script('n = 1\nf"""[markdown]{n}, `{n}`"""\nn = 2\nf"""[markdown]{n!r:>3}, {{n}}"""\n')
    assert [x.value for x in run(path) if x.cell.kind == "prose"] == ["1, `1`", "2, {n}"]


def test_a_comment_that_led_to_a_component_is_no_longer_in_the_code(page):
    assert "# everything" not in words(page) and "# example_1.events" not in words(page)


def test_code_pieces_know_their_lines_and_blank_ones_are_left_out(script):
    path = script(SCRIPT)
    lines = path.read_text().splitlines()
    code = [x.cell for x in run(path) if x.cell.kind == "code"]
    assert len(code) > 9
    for cell in code:
        source = cell.source.splitlines()
        assert source[0].strip() and lines[cell.line - 1 : cell.line - 1 + len(source)] == source


def test_the_script_runs_once_as_a_module_that_is_not_main(script, tmp_path):
    log = tmp_path / "log"
    path = script(
        '"""[markdown]\n# T\n"""\n# x\n'
        f'with open({str(log)!r}, "a") as file:\n    file.write(__name__)\n'
    )
    run(path)
    assert log.read_text() == "article_script"


@pytest.mark.parametrize(
    ("value", "comment"),
    [
        ('{"a": shown, "b": [shown, "*text*", 3]}', "example"),
        ('SimpleNamespace(a=shown, b=[shown, "*text*", 3])', "example"),
        ('SimpleNamespace(inner={"a": shown, "b": [shown, "*text*", 3]})', "example.inner"),
        ('Composite(a=shown, b=[shown, "*text*", 3])', "example"),
        ('[Composite(a=shown), shown, "*text*", 3]', "example"),
    ],
)
def test_a_name_that_leads_to_a_composite_shows_its_values_in_order(script, value, comment):
    path = script(
        '"""[markdown]\n# T\n"""\n# '
        + comment
        + "\nfrom types import SimpleNamespace\nfrom report import Prose\n"
        "class Composite:\n    def __init__(self, **kwargs):\n        self.components = kwargs\n"
        "    def __getitem__(self, key):\n        return self.components[key]\n"
        f'shown = Prose("x")\nexample = {value}\n'
    )
    assert run(path)[0].value == Group([Prose("x"), Prose("x"), Prose("*text*"), 3])


@pytest.mark.parametrize("comment", ["example.a.title", "example.b.title", "example.a", "one"])
def test_a_dotted_path_leads_through_attributes_and_items(script, comment):
    path = script(
        '"""[markdown]\n# T\n"""\n# '
        + comment
        + "\nfrom types import SimpleNamespace\nfrom report import Prose\n"
        'one = Prose("x")\nexample = {"a": {"title": one}, "b": SimpleNamespace(title=one)}\n'
    )
    assert run(path)[0].value == Group([Prose("x")])


@pytest.mark.parametrize(
    "comment",
    [
        "nothing",
        "rate",
        "name",
        "math",
        "settings",
        "print",
        "example.nothing",
        "rate.real.x",
        "example.keys",
    ],
)
def test_a_comment_that_names_nothing_to_show_stays_a_comment(script, comment):
    text = (
        f'# {comment}\nimport math\nrate, name, settings = 8000, "x", {{"n": 1}}\n'
        'example = {"a": object()}'
    )
    outputs = run(script(f'"""[markdown]\n# T\n"""\n{text}\n'))
    assert [(x.cell.source, x.value) for x in outputs] == [(text, None)]


def test_a_module_is_no_composite(script):
    text = (
        "import types\nfrom report import Prose\n"
        'module = types.ModuleType("module")\nmodule.shown = Prose("x")'
    )
    (output,) = run(script(f'"""[markdown]\n# T\n"""\n# module\n{text}\n'))
    assert output.value is None


@pytest.mark.parametrize(
    "inside", ["@str\n# shown\ndef f(): pass", "x = (\n# shown\n)", 'x = """\n# shown\n"""']
)
def test_a_comment_inside_a_statement_is_code(script, inside):
    text = f'from report import Prose\nshown = Prose("x")\n{inside}'
    (output,) = run(script(f'"""[markdown]\n# T\n"""\n{text}\n'))
    assert (output.cell.source, output.value) == (text, None)


def test_a_row_and_a_text_can_be_shown_as_from_a_percent_cell(script):
    path = script(
        '"""[markdown]\n# T\n"""\n# row\n# example.text\nfrom report import Prose, Row\n'
        'row = Row([Prose("x")])\nexample = {"text": "words"}\n'
    )
    assert [x.value for x in run(path)[:2]] == [Group([Row([Prose("x")])]), Group([Prose("words")])]


@pytest.mark.parametrize(
    ("text", "line", "error"),
    [
        ("x = 1\n\n\n1 / 0\n", 4 + 4, "ZeroDivisionError"),
        ('x = 1\nf"""[markdown]\nfine {x}\n\n{nowhere}"""\n', 4 + 5, "NameError"),
        (
            "# x.y\nclass X:\n    @property\n    def y(self):\n        return 1 / 0\nx = X()\n",
            4 + 5,
            "ZeroDivisionError",
        ),
    ],
)
def test_a_failure_is_named_with_script_cell_and_true_line(script, text, line, error):
    message = fails(script('"""[markdown]\n# T\n\n"""\n' + text))
    assert "script.py, cell " in message and f"line {line}:" in message and error in message


def test_what_can_not_be_shown_is_named_with_the_line_of_its_comment(script, tmp_path):
    text = (
        '"""[markdown]\n# T\n"""\nx = 1\n# player\n'
        'from report import Part, Row\nplayer = Row([[Part("p", "t", "", [])]])\n'
    )
    with pytest.raises(CellError, match="script.py, cell at line 5"):
        build([script(text)], tmp_path / "site", FolderStore(tmp_path / "store"))


def test_a_syntax_error_is_named_with_its_line(script):
    path = script('"""[markdown]\n# T\n"""\nx = = 1\n')
    for read in (parse_script, read_metadata):
        with pytest.raises(ReportError, match="script.py, line 4: invalid syntax: x = = 1"):
            read(path)


def test_the_title_is_the_first_heading_as_text(script):
    assert read_metadata(
        script('"""[markdown]\nNo heading.\n"""\n"""[markdown]\n## The `X` _class_\n"""\n')
    )[0] == ("The X class")
    with pytest.raises(ReportError, match="has no heading"):
        read_metadata(script('"""[markdown]\nNo heading.\n"""\n'))


def test_a_title_with_text_before_it_keeps_its_place(script):
    path = script('"""[markdown]\nBefore.\n\n# The Title\n"""\n')
    assert run(path)[0].value == "\nBefore.\n\n## The Title\n"


def test_plain_strings_are_taken_as_they_stand_in_the_file(script):
    path = script('"""[markdown]\nA {value}, {{ value }}, \\alpha\n\n```\n# no heading\n```\n"""\n')
    assert run(path)[0].value == "\nA {value}, {{ value }}, \\alpha\n\n```\n# no heading\n```\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('"""[markdown]\n# T\n"""\n', True),
        ('x = 1\nf"""[markdown] {x}"""\n', True),
        ('"""[markdown]\n# T\n"""\n# %% [markdown]\n# prose\n', False),
        ('"""Title"""\nx = """\n[markdown]"""\n', False),
        ("# %%\nx = 1\n", False),
    ],
)
def test_the_form_is_known_by_its_strings_and_the_lack_of_percent_markers(text, expected):
    assert is_comment_form(text) == expected


def test_a_percent_script_that_quotes_the_form_is_read_as_before(script):
    path = script(
        '"""Title"""\n# %% [markdown]\n# Prose\n# %%\n"""[markdown] quoted"""\n# x\nx = 1\n'
    )
    assert [(x.cell.kind, x.value) for x in run(path)] == [
        ("code", None),
        ("prose", "Prose"),
        ("code", None),
    ]
    assert read_metadata(path)[0] == "Title"


def test_a_script_of_neither_form_is_one_hidden_cell_as_before(script):
    (cell,) = parse_script(script('"""Title"""\n# x\nx = 1\n'))
    assert (cell.kind, cell.tags) == ("code", ("hide",))


def test_players_of_one_sound_are_separate_components(script, tmp_path):
    groups = [x.value for x in run(script(SCRIPT)) if isinstance(x.value, Group)]
    players = [leaf for group in groups for leaf in group.components]
    assert sum(isinstance(leaf, Player) for leaf in players) == 11
