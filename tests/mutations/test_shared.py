"""Articles share what they have in common, whatever they are called; the rest is told apart."""

import json
from pathlib import Path

import pytest

from .forks import Forks

pytestmark = pytest.mark.slow

ARTICLE = """
import enum
from dataclasses import dataclass
from helper import Room, double
from report import Data, conjure

LEVEL = 2
LISTED = [enum.Enum]


@dataclass
class Setting:
    n: int

    def more(self):
        return self.n + 1


class Kind(enum.Enum):
    LOW = 1


class Model:
    digest, device = "abc", "cpu"


def twice(x):
    return 2 * x


@conjure
def made(setting, kind, function, models) -> Data:
    return Data([function(setting.more()), double(LEVEL), Room(3).size, len(LISTED)])


@conjure
def also() -> Data:
    return Data([twice(3)])

# %%
made(Setting(1), Kind.LOW, twice, [Model()])
also()
"""
HELPER = """
class Room:
    def __init__(self, size):
        self.size = size


def double(x):
    return 2 * x
"""


@pytest.fixture
def run(editor, tmp_path):
    """A function that writes and runs an article beside its helper: which artifacts it computed."""

    def computed(name: str, text: str = ARTICLE, helper: str = HELPER, forks: Forks = editor):
        folder = tmp_path / name.partition("/")[0] if "/" in name else tmp_path
        folder.mkdir(exist_ok=True)
        (folder / "helper.py").write_text(helper)
        article = folder / Path(name).name
        article.write_text(text)
        code = f"import runner; runner.main({str(tmp_path / 'store')!r}, [{str(article)!r}])"
        report = json.loads(forks.output(code, folder, []))
        assert report["warnings"] == []
        return {name for name, state in report["states"].items() if state == "computed"}

    return computed


def test_an_article_of_another_name_or_folder_finds_what_it_shares(run, builder):
    assert run("one.py") == {"made", "also"}
    assert run("other-name.py", forks=builder) == run("elsewhere/one.py") == set()


def test_articles_that_show_other_things_share_their_functions(run):
    run("one.py")
    shows = "\n# %%\nimport json\n\nrepr([LEVEL, also().value])\n"
    assert run("two.py", '"""Another title."""\n' + ARTICLE + shows) == set()


@pytest.mark.parametrize(
    ("old", "new", "computed"),
    [
        ("LEVEL = 2", "LEVEL = 3", {"made"}),
        ("return 2 * x", "return 3 * x", {"made", "also"}),
        ("self.n + 1", "self.n + 2", {"made"}),
        ("LOW = 1", "LOW = 2", {"made"}),
        ("    n: int", "    n: int = 3", {"made"}),
        ("[enum.Enum]", "[enum.Flag]", {"made"}),
        ("twice(3)", "twice(4)", {"also"}),
        ("double(LEVEL), Room(3).size", "Room(3).size, double(LEVEL)", {"made"}),
    ],
)
def test_functions_of_one_name_are_told_apart_by_what_they_do(run, old, new, computed):
    run("one.py")
    assert run("two.py", ARTICLE.replace(old, new)) == computed
    assert run("one.py") == set()


@pytest.mark.parametrize(
    ("old", "new"), [("return 2 * x", "return x + x"), ("self.size = size", "self.size = -size")]
)
def test_modules_of_one_name_are_told_apart_by_what_they_do(run, old, new):
    run("here/one.py")
    assert run("there/two.py", helper=HELPER.replace(old, new)) == {"made"}


SHOWN = """
import numpy as np
from report import Data, conjure


@conjure
def third() -> Data:
    return Data([str(np.array([1 / 3])), "of a helper"])
"""
SHOWS = "import helper\nimport numpy as np\n\n# %%\nhelper.third()\n"


def test_a_function_of_a_module_is_shared_as_far_as_articles_set_up_libraries_alike(run):
    def computed(name: str, cell: str) -> bool:
        return "third" in run(name, SHOWS.replace("# %%", f"# %%\n{cell}\n\n# %%"), SHOWN)

    assert computed("one.py", "pass")
    assert not computed("two.py", "import matplotlib.pyplot as plt\nplt.close('all')")
    assert computed("three.py", "np.set_printoptions(precision=2)")
    assert computed("four.py", "np.set_printoptions(precision=3)")
    assert not computed("five.py", "np.set_printoptions(precision=2)")
    assert computed("six.py", "np.set_printoptions(precision=2)\nnp.set_printoptions(precision=3)")
    assert not computed("six.py", "pass")


def test_a_function_that_asks_for_its_module_is_not_shared(run):
    text = ARTICLE.replace("Data([twice(3)])", "Data([twice(3), __name__])")
    assert run("one.py", text) == {"made", "also"}
    assert run("two.py", text) == {"also"}
    text = ARTICLE.replace("Data([twice(3)])", "Data([len(HERE.name)])")
    text = text.replace("LEVEL = 2", "from pathlib import Path\n\nLEVEL, HERE = 2, Path(__file__)")
    assert run("one.py", text) == {"also"}
    assert run("two.py", text) == {"also"}


def test_a_helper_may_be_called_like_the_module_of_an_article(run, tmp_path):
    (tmp_path / "article_tools.py").write_text("def twice(x):\n    return 4 * x\n")
    text = ARTICLE.replace("function(setting.more())", "tools.twice(1), function(setting.more())")
    text = text.replace("import enum\n", "import enum\nimport article_tools as tools\n")
    assert run("one.py", text) == {"made", "also"}
    (tmp_path / "article_tools.py").write_text("def twice(x):\n    return 5 * x\n")
    assert run("one.py", text) == {"made"}
