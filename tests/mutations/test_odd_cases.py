"""Unusual ways to reach a function: an edit of it changes the key, wherever its name is from."""

from pathlib import Path

import pytest

from .forks import Forks

pytestmark = pytest.mark.slow
WAYS = dict(
    way.split("\n", 1)
    for way in """
### imported or else defined
try:
    from lib import h
except ImportError:
    def h():
        return 0
f = h
### imported or else None
try:
    from lib import h
except ImportError:
    h = None
f = h
### imported in one of two branches
import sys
if sys:
    from lib import h
else:
    h = None
f = h
### imported while errors are suppressed
import contextlib
with contextlib.suppress(ImportError):
    from lib import h
f = h
### None first, imported later
h = None
from lib import h
f = h
### imported, then cached
from functools import lru_cache
from lib import h
h = lru_cache(h)
f = h
### not for type checkers
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    pass
else:
    from lib import h
f = h
### not as a script
if __name__ != '__main__':
    from lib import h as f
### imported by a class
class A:
    from lib import h
f = lambda: A.h()
### a static method
import lib
class A:
    h = staticmethod(lib.h)
f = lambda: A.h()
### a property
from lib import h
class A:
    @property
    def v(self):
        return h()
f = lambda: A().v
### in a match
import lib
def f():
    match 1:
        case 1:
            return lib.h()
### behind a walrus
import lib
def f():
    return [y for x in [1] if (y := lib.h())]
### a generator's
from lib import h
def g():
    yield h()
def f():
    return list(g())
### a field's default factory
from dataclasses import dataclass, field
from lib import h
@dataclass
class A:
    x: int = field(default_factory=h)
f = lambda: A().x
### through an enum
import enum
import lib
class E(enum.Enum):
    A = 1
    def v(self):
        return lib.h()
f = lambda: E.A.v()
### by a module's __getattr__
import lazy
f = lambda: lazy.anything
### under another decorator
import functools
from lib import h
def twice(g):
    @functools.wraps(g)
    def w(*a):
        return [g(*a), h()]
    return w
@twice
def f():
    return 0
""".split("\n### ")[1:]
)
DEMO = """
from report import Data, conjure
{way}

@conjure
def made() -> Data:
    return Data(f())

if __name__ != "__main__":
    print(made().record.key, made().value)
"""


DECORATED = """
import functools
from report import Data, conjure
from lib import h

def times(n):
    def wrap(g):
        @functools.wraps(g)
        def w():
            return Data([g(), h(), n])
        return w
    return wrap

@conjure
@times(2)
def made() -> Data:
    return 1

print(made().record.key, made().value)
"""


def run(forks: Forks, folder: Path) -> list[str]:
    """Import `demo` from a folder. Returns: the key and the value that it prints."""
    return forks.output("import demo", folder, [folder]).split(maxsplit=1)


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_an_edit_changes_the_value_and_the_key(way, builder, editor, tmp_path):
    (tmp_path / "demo.py").write_text(DEMO.format(way=way))
    (tmp_path / "lazy.py").write_text("import lib\ndef __getattr__(name):\n    return lib.h()\n")
    printed = []
    for forks, result in ((editor, "1"), (builder, "2"), (editor, "2  # the same")):
        (tmp_path / "lib.py").write_text(f"def h():\n    return {result}\n")
        printed.append(run(forks, tmp_path))
    assert printed[0][0] != printed[1][0] and printed[0][1] != printed[1][1]
    assert printed[1] == printed[2]


def test_conjure_stands_above_other_decorators(editor, tmp_path):
    keys = []
    for decorator, result in (("times(2)", 1), ("times(3)", 1), ("times(2)", 2)):
        (tmp_path / "demo.py").write_text(DECORATED.replace("times(2)", decorator))
        (tmp_path / "lib.py").write_text(f"def h():\n    return {result}\n")
        keys.append(run(editor, tmp_path)[0])
    assert len(set(keys)) == 3
    assert run(editor, tmp_path)[1].strip() == "[1, 2, 2]"


def test_a_file_that_is_edited_while_it_is_in_use_stops_the_run(editor, tmp_path):
    (tmp_path / "lib.py").write_text("def h():\n    return 1\n")
    meddling = "import time\nfrom lib import h as f\ntime.sleep(0.05)\n"
    meddling += "open('lib.py', 'w').write('def h():\\n    return 2\\n')"
    (tmp_path / "demo.py").write_text(DEMO.format(way=meddling))
    with pytest.raises(
        AssertionError, match="lib.py was edited while it was in use, at h; run it again"
    ):
        run(editor, tmp_path)
