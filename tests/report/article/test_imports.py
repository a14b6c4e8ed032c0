"""What an article imports: its author's modules, and libraries, read without running anything."""

import re

import numpy as np
import pytest

from report import MemoryStore, ReportError, build
from report.article.imports import imports_of, sources_of
from report.article.script import parse_script, read_metadata

ARTICLE = '''"""Title"""
import os
from typing import TYPE_CHECKING
import numpy as np
import helper
from package import inner
from package.deep.deeper import thing
from report import Data, conjure
if TYPE_CHECKING:
    import types_only
    import scipy

def late():
    import lazy
    from package import *
    return lazy
'''


@pytest.fixture
def folder(tmp_path):
    files = {
        "work/article.py": ARTICLE,
        "work/helper.py": "import second, missing\n",
        "work/second.py": "import helper\nfrom PIL import Image\n",
        "work/lazy.py": "x = 1\n",
        "work/types_only.py": "",
        "work/unused.py": "",
        "work/package/__init__.py": "from . import sibling\n",
        "work/package/sibling.py": "from .deep import other\n",
        "work/package/inner.py": "from .. import too_far\n",
        "work/package/deep/deeper.py": "thing = 1\n",  # a namespace package
        "work/package/deep/other.py": "def broken(:\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path / "work"


def test_all_modules_of_the_author_are_found_and_nothing_runs(folder):
    names = sources_of([folder / "article.py"])
    assert sorted(names) == [
        "article.py",
        "helper.py",
        "lazy.py",
        "package/__init__.py",
        "package/deep/deeper.py",
        "package/deep/other.py",
        "package/inner.py",
        "package/sibling.py",
        "second.py",
    ]
    assert names["helper.py"] == (folder / "helper.py").read_bytes()


def test_a_file_that_came_since_is_found(tmp_path):
    script, helper = tmp_path / "a.py", tmp_path / "helper_of_later.py"
    script.write_text('"""A"""\nimport helper_of_later\n')
    assert helper not in imports_of(script).files
    helper.write_text("x = 1\n")
    assert helper in imports_of(script).files


def test_imports_are_found_in_every_block_but_those_for_type_checkers(tmp_path):
    places = {
        "in_function": "def f():\n    with x:\n        import {}",
        "in_class": "class A:\n    async def f(self):\n        for x in y:\n            import {}",
        "in_try": "try:\n    pass\nexcept ValueError:\n    import {}",
        "in_end": "try:\n    pass\nfinally:\n    import {}",
        "in_case": "match 1:\n    case 1:\n        import {}",
        "in_while": "while x:\n    pass\nelse:\n    import {}",
        "at_run_time": "if typing.TYPE_CHECKING:\n    pass\nelse:\n    import {}",
    }
    script = tmp_path / "a.py"
    blocks = [text.format(name) for name, text in places.items()]
    blocks.append("if TYPE_CHECKING:\n    import for_types")
    script.write_text('"""A"""\n' + "\n".join(blocks) + "\n")
    for name in (*places, "for_types"):
        (tmp_path / f"{name}.py").touch()
    files = {file.stem for file in imports_of(script).files}
    assert files == {"a", *places}


def test_articles_in_several_folders_keep_their_helpers_apart(folder):
    (folder / "a").mkdir()
    (folder / "a" / "other.py").write_text('"""Other"""\nimport helper\n')
    (folder / "a" / "helper.py").write_text("x = 2\n")
    sources = sources_of([folder / "article.py", folder / "a" / "other.py"])
    assert sources["a/helper.py"] == b"x = 2\n" != sources["helper.py"]
    assert sources_of([]) == {}


def test_modules_from_elsewhere_are_named_as_they_are_imported(folder, monkeypatch, tmp_path):
    (tmp_path / "lab" / "tools").mkdir(parents=True)
    (tmp_path / "lab" / "tools" / "noise.py").write_text("")
    (folder / "article.py").write_text('"""T"""\nimport tools.noise\n')
    monkeypatch.syspath_prepend(str(tmp_path / "lab"))
    assert set(sources_of([folder / "article.py"])) == {"article.py", "tools/noise.py"}


def test_libraries_are_those_that_the_article_imports(folder):
    versions = imports_of(folder / "article.py").versions()
    assert list(versions) == ["python", "pillow", "numpy"] or set(versions) == {
        "python",
        "numpy",
        "pillow",
    }
    assert versions["numpy"] == np.__version__ and versions["pillow"] == ""


def colophon(folder, source):
    (folder / "a.py").write_text(source)
    build([folder / "a.py"], folder / "site", MemoryStore())
    page = (folder / "site" / "a.html").read_text()
    match = re.search(r"<dt>libraries</dt><dd>(.*?)</dd>", page)
    return re.findall(r"[\w-]+(?= )", match[1]) if match else []


def test_the_colophon_names_the_libraries_of_the_article(tmp_path):
    (tmp_path / "loud.py").write_text("import scipy\n\ndef level():\n    return scipy.pi\n")
    article = '"""A"""\nimport numpy as np\nfrom report import Data, Sound, conjure\n'
    sound = (
        "@conjure\ndef f() -> Sound:\n    return Sound(np.linspace(0, 0.5, 9), 8000)\n# %%\nf()\n"
    )
    # Sounds need scipy too, for their loudness, but this article does not use it.
    assert colophon(tmp_path, article + sound) == ["python", "numpy"]
    assert colophon(tmp_path, '"""A"""\nimport PIL\n# %%\n1\n') == ["python", "pillow"]
    assert colophon(tmp_path, '"""A"""\n# %%\n1\n') == []


@pytest.mark.parametrize(
    "data",
    [
        b'\xef\xbb\xbf"""Caf\xc3\xa9"""\n# %%\n1\n',
        b'# -*- coding: latin-1 -*-\n"""Caf\xe9"""\n# %%\n1\n',
        b'# vim: set fileencoding=cp1252 :\r\n"""Caf\xe9"""\r\n# %%\r\n1\r\n',
        b'\xef\xbb\xbf"""[markdown]\n# Caf\xc3\xa9\n"""\n1\n',
        b'# coding: latin-1\n"""[markdown]\n# Caf\xe9\n"""\n1\n',
    ],
)
def test_a_script_is_read_as_python_reads_it(tmp_path, data):
    (tmp_path / "a.py").write_bytes(data)
    assert read_metadata(tmp_path / "a.py")[0] == "Café"
    assert parse_script(tmp_path / "a.py")[-1].source == "1"
    build([tmp_path / "a.py"], tmp_path / "site", MemoryStore())
    assert "<title>Café</title>" in (tmp_path / "site" / "a.html").read_text()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (
            b'"""Caf\xe9"""\n',
            r"cannot read the source .*a.py: .*save it as UTF-8, or name its codi",
        ),
        (b"# coding: klingon\n", r"cannot read the source .*a.py: unknown encoding.*klingon"),
    ],
)
def test_a_script_that_python_can_not_read_is_named(tmp_path, data, message):
    (tmp_path / "a.py").write_bytes(data)
    with pytest.raises(ReportError, match=message):
        build([tmp_path / "a.py"], tmp_path / "site", MemoryStore())
