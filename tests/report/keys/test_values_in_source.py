"""A global of a module that is not loaded: its value by its source is that of the loaded module."""

import importlib
import itertools
import sys

import pytest

from report import Data, build, conjure
from report.artifacts.session import request_of
from report.artifacts.store import MemoryStore
from report.errors import ReportError
from report.keys import source
from report.keys.source import Reference, find_module
from report.keys.values_in_source import DEFINED, UNCERTAIN, runtime_value, value_in_source

numbers = itertools.count()
SURE = [
    "X = 3",
    "X: int = -3",
    "X = 2**31 - 1",
    "X = 1 / 16 + 2 % 3 // 1",
    "import math\nX = (math.sqrt(5) - 1) / 2",
    "from math import log as ln\nX = ln(1000.0)",
    "import math\nY = math.pi\nX = Y / 4",
    "import sys\nX = sys.float_info.min",
    "A, X = 1, (2, 'three', None, True, b'4')",
    "X = {'a': (2.0, 0.0), 'b': [1, {2}]}",
    "from dataclasses import dataclass\n@dataclass\nclass A:\n    pass\nB = A()\nX = {'a': 1}",
    "from typing import TypeVar\nT = TypeVar('T')\nX = [1]",
]
DEFINITIONS = [
    "def X():\n    return 1",
    "import functools\n@functools.lru_cache(maxsize=3)\ndef X():\n    return 1",
    "from contextlib import contextmanager\n@contextmanager\ndef X():\n    yield",
    "class X:\n    A = 3\n    def f(self): pass",
    "from __future__ import annotations\nfrom dataclasses import dataclass, field\n"
    "@dataclass(frozen=True)\nclass X:\n    a: int\n    b: list = field(default_factory=list)",
    "import json\nclass Base(json.JSONEncoder):\n    pass\nclass X(Base):\n    '''A.'''",
]
UNSURE = [
    "X = 3\nX = 4",
    "if True:\n    X = 3",
    "try:\n    X = 3\nfinally:\n    pass",
    "for X in (1, 2):\n    pass",
    "X = 3\nfrom os.path import *",
    "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    X = 3",
    "import os\nX = os.environ.get('X')",
    "import os\nX = os.sep",
    "X = len('abc')",
    "X = [n for n in range(3)]",
    "X = 'a' + 'b'",
    "X = 1\ndef f():\n    global X\n    X = 2",
    "X = {}\ndef f():\n    X['a'] = 1",
    "X = {}\nX['a'] = 1",
    "def fill(table):\n    table['a'] = 1\nX = {}\nY = fill(X)",
    "def note(table):\n    return lambda f: f\nX = {}\n@note(X)\ndef f(): pass",
    "def note(f):\n    TABLE.append(f)\n    return f\nTABLE = []\n@note\ndef f(): pass\nX = [1]",
    "X = 3\nprint(end='')",
    "def f(): pass\nX = {'f': f}",
    "def f(): pass\nX = f",
    "def f(): pass\nf.a = 1\nX = f",
    "def decorated(f):\n    return {'f': f}\n@decorated\ndef X(): pass",
    "def f(): pass\nclass X:\n    TABLE = {'f': f}",
    "class X:\n    a: int",
    "class Meta(type):\n    pass\nclass X(metaclass=Meta):\n    pass",
    "class Base:\n    def __init_subclass__(cls):\n        pass\nclass X(Base):\n    pass",
    "def make():\n    class Base:\n        pass\n    return Base\nclass X(make()):\n    pass",
    "class X:\n    for a in (1, 2):\n        pass",
    "X = 1 / 0",
    "X = 3\ndel X",
]


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Write a module that is not loaded. Returns: its name."""
    monkeypatch.syspath_prepend(tmp_path)

    def write(text):
        name = f"unloaded_{next(numbers)}"
        (tmp_path / f"{name}.py").write_text(text + "\n")
        importlib.invalidate_caches()
        return name

    return write


@pytest.mark.parametrize("text", SURE)
def test_a_constant_is_known_without_its_module(module, text):
    name = module(text)
    value = runtime_value(Reference("symbol", name, "X"))
    assert name not in sys.modules
    loaded = importlib.import_module(name).X
    assert (repr(value), type(value)) == (repr(loaded), type(loaded))


@pytest.mark.parametrize("text", DEFINITIONS)
def test_a_definition_is_known_without_its_module(module, text):
    assert value_in_source(find_module(module(text)), "X") is DEFINED


@pytest.mark.parametrize("text", UNSURE)
def test_what_the_source_does_not_say_is_not_guessed(module, text):
    assert value_in_source(find_module(module(text)), "X") is UNCERTAIN


def test_the_value_of_a_loaded_module_is_the_one_that_it_has(module):
    name = module("X = 3")
    importlib.import_module(name).X = 4
    assert runtime_value(Reference("symbol", name, "X")) == 4


def test_a_module_is_imported_where_its_source_does_not_say(module):
    name = module("X = len('abc')")
    assert runtime_value(Reference("symbol", name, "X")) == 3
    assert name in sys.modules


def test_looking_for_a_name_in_a_module_does_not_import_it(module):
    name = module("X = 3")
    assert find_module(f"{name}.X") is None
    assert name not in sys.modules


def test_a_module_that_is_edited_before_it_is_loaded_stops_the_build(tmp_path, monkeypatch):
    """Its source was read for the key, and other code would compute the result."""
    monkeypatch.setattr(source, "STARTED", 0.0)
    (tmp_path / "edited_helper.py").write_text("X = 3\n")
    (tmp_path / "a.py").write_text(
        '"""A"""\nfrom pathlib import Path\nfrom report import Data, conjure\n'
        "@conjure\ndef f() -> Data:\n    from edited_helper import X\n    return Data(X)\n"
        "@conjure\ndef edit(path: str) -> Data:\n"
        "    with open(path, 'w') as file:\n        file.write('X = 4\\n')\n    return Data(1)\n"
        "# %%\nf.__wrapped__\n"
        "import report.artifacts.session as s, inspect\n"
        "s.request_of(f.__wrapped__, inspect.signature(f).bind())\n"
        "edit(str(Path(__file__).parent / 'edited_helper.py'))\nf()\n"
    )
    store = MemoryStore()
    with pytest.raises(ReportError, match="edited_helper.py was edited while it was in use"):
        build([tmp_path / "a.py"], tmp_path / "site", store)
    assert not any("f" == record.function for _, record in getattr(store.build("a"), "calls", ()))


@conjure
def plain(n: int) -> Data:
    return Data(n)


def test_a_request_knows_the_modules_of_its_code():
    import inspect

    request = request_of(plain.__wrapped__, inspect.signature(plain).bind(1))
    assert __name__ in request.code.modules
