import sys
from pathlib import Path

import pytest

from report.article.script import parse_script, read_metadata, run_cells
from report.errors import CellError, ReportError


@pytest.fixture
def script(tmp_path):
    def write(text):
        path = tmp_path / "script.py"
        path.write_text(text)
        return path

    return write


def run(path, namespace=None):
    outputs = run_cells(parse_script(path), path, {} if namespace is None else namespace)
    return [output.value for output in outputs]


def fails(path):
    with pytest.raises(CellError) as caught:
        run(path)
    return str(caught.value)


def test_cells_know_their_kind_tags_and_line(script):
    path = script(
        '"""Title"""\n\n# %% [markdown]\n# Prose\n#\n# more\n\n'
        '# %% Name tags=["hide"]\n\nx = 1\nx\n# %%\ny = 2\n'
    )
    cells = parse_script(path)
    assert [(c.kind, c.line, c.tags) for c in cells] == [
        ("code", 1, ("hide",)),
        ("prose", 4, ()),
        ("code", 10, ("hide",)),
        ("code", 13, ()),
    ]
    assert [c.source for c in cells[1:]] == ["Prose\n\nmore", "x = 1\nx", "y = 2"]
    lines = path.read_text().splitlines()
    assert all(c.source.splitlines()[0] in lines[c.line - 1] for c in cells)


def test_prose_may_be_one_string(script):
    assert run(script('# %% [markdown]\n"""\n# Heading\n"""\n')) == ["\n# Heading\n"]


def test_a_comment_that_looks_like_a_magic_is_no_marker(script):
    assert [c.source for c in parse_script(script("# %%time\nx = 1\n"))] == ["# %%time\nx = 1"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('# %% tags=["hid"]\n1\n', "line 1: unknown tag 'hid'; known tags: show, fold, hide"),
        ("# %% tags=[hide]\n1\n", 'tags are [hide]; write them as tags=["hide"]'),
        ("# %% [markdown]\nx = 1\n", "line 2: a prose cell holds comment lines"),
    ],
)
def test_a_malformed_script_is_refused_by_name_and_line(script, text, message):
    with pytest.raises(ReportError) as caught:
        parse_script(script(text))
    assert message in str(caught.value) and "script.py" in str(caught.value)


def test_commands_of_notebooks_are_named(script):
    for command in ("%matplotlib inline", "!pip install x"):
        with pytest.raises(ReportError, match=rf"line 3: .*{command}; leave out commands of noteb"):
            read_metadata(script(f'"""T"""\n# %%\n{command}\n'))


def test_the_last_expression_is_shown_and_nothing_else(script):
    assert run(script("# %%\n1\n2\n# %%\nx = 3\n# %%\n'a remark'\n# %%\nx\n")) == [2, None, None, 3]


def test_cells_share_one_module_that_is_not_main(script):
    namespace = {"given": 5}
    path = script(
        "from __future__ import annotations\n# %%\nx: Unknown = given\n# %%\n"
        "(__name__, __file__, x)\n"
    )
    name, file, x = run(path, namespace)[-1]
    assert (name, file, x) == ("article_script", str(path), 5)
    assert namespace["x"] == 5
    assert name not in sys.modules


def test_a_script_has_no_arguments_of_the_build(script, monkeypatch):
    monkeypatch.setattr("sys.argv", ["report", "build", "a.py", "--out", "site"])
    path = script("import sys\n# %%\nlist(sys.argv)\n# %%\nsys.argv.append('--more')\n")
    assert [str(path)] in run(path)
    assert sys.argv == ["report", "build", "a.py", "--out", "site"]


def test_a_script_may_change_the_folder(script, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    script("import os\n# %%\nos.chdir('/')\n__file__\n")
    assert run(Path("script.py"))[-1] == str(tmp_path / "script.py")
    assert Path.cwd() == tmp_path


def test_prose_quotes_values_with_format_specs(script):
    path = script(
        "x = {'a': 3.14159}\n# %% [markdown]\n"
        "# {{ x['a']:.2f }} and {{ 'one'!r }} and {{ x['a'] != 3 }}\n"
    )
    assert run(path)[1].replace("\\", "") == "3.14 and 'one' and True"


def test_quoted_values_may_have_backslashes_and_formats(script):
    path = script(
        "x = 3.14159\nwidth = 6\n# %% [markdown]\n"
        "# {{ ' '.join(['a\\tb']) }} {{ x:{width}.1f }} {{ x!s:.3 }} {{ x:=7.2f }} {{ 1, 2 }}\n"
    )
    assert run(path)[1].replace("\\", "") == "a b 3.1 3.1 =   3.14 (1, 2)".replace("=   3", "3")


def test_the_quotes_of_a_field_do_not_matter_and_a_number_keeps_its_point(script):
    fields = (
        """{{ x["a"]:.1f }}, {{ len('\"\"\"'):.1f }}, {{ [3.5][0:1][0]:.2f }}, {{ "it's":>5 }}"""
    )
    path = script(f"x = {{'a': 2.26}}\n# %% [markdown]\n# {fields}\n")
    assert run(path)[1] == r"2.3, 3.0, 3.50, it\'s"


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="a later Python understands it")
def test_quotes_that_this_python_does_not_understand_are_told(script):
    path = script("""x = {'a': 1}\n# %% [markdown]\n# {{ f"{x["a"]} dB" }}\n""")
    assert "before Python 3.12, what stands between the braces" in fails(path)


def test_a_quoted_value_can_not_become_markup(script):
    assert (
        run(script("x = '*a* <b>\\n# c'\n# %% [markdown]\n# {{ x }}\n"))[1] == r"\*a\* \<b\> \# c"
    )


def test_backticks_show_braces_as_they_are(script):
    text = "`{{ x }}` and ``a ` {{ y }}``\n\n```\n{{ z }}\n```"
    assert run(script('# %% [markdown]\n"""' + text + '"""\n')) == [text]


@pytest.mark.parametrize(
    ("text", "line", "error"),
    [
        ("# %%\nx = 1\n\n# %%\n\ny = [\n  1 / 0]\n", 7, "ZeroDivisionError"),
        ("# %%\nx = 1\n# %%\nx\n1 / 0\n", 5, "ZeroDivisionError"),
        ("# %%\n# %% [markdown]\n# Fine.\n# {{ nowhere }}\n", 4, "NameError"),
        ("# %%\nx = 1\n# %%\nx = = 1\n", 4, "SyntaxError"),
        ("# %%\nimport sys\nsys.exit(3)\n", 3, "SystemExit"),
        ("# %%\nraise BaseException('x')\n", 2, "BaseException: x"),
        ("# %%\nawait x\n", 2, "SyntaxError: 'await' outside function: await x"),
    ],
)
def test_a_failing_cell_is_named_with_its_true_line(script, text, line, error):
    message = fails(script(text)).splitlines()[0]
    assert "script.py, cell " in message
    assert f"line {line}:" in message
    assert error in fails(script(text))


def test_only_the_authors_frames_are_shown(script):
    message = fails(
        script("import json\n# %%\ndef load():\n    return json.loads('{')\n# %%\nload()\n")
    )
    assert "in load" in message and "return json.loads" in message
    assert "decoder.py" not in message and "cells.py" not in message


def test_cells_after_a_failure_do_not_run(script, tmp_path):
    fails(script(f"# %%\n1 / 0\n# %%\nopen({str(tmp_path / 'ran')!r}, 'w')\n"))
    assert not (tmp_path / "ran").exists()


def test_modules_beside_the_script_are_found_only_while_it_runs(script, tmp_path):
    (tmp_path / "beside_the_script.py").write_text("value = 3\n")
    before = list(sys.path)
    assert run(script("from beside_the_script import value\n# %%\nvalue\n"))[-1] == 3
    assert sys.path == before
    fails(script("import sys\nsys.path.append('more')\n# %%\n1 / 0\n"))
    assert sys.path == before
