"""The keys of the shipped articles see all that their results depend on."""

import importlib
import inspect
import pkgutil
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

import experiments.sections
from experiments.clips import Clip
from experiments.lazy_codec import LazyCodec
from report.keys import dependencies
from report.keys.dependencies import NotFollowed, code_of
from report.keys.values import symbol_of

ROOT = Path(__file__).parents[2]
KINDS = {"Clip": Clip, "SparseCodec": LazyCodec}  # of arguments, by their annotations
SECTIONS = [
    importlib.import_module(f"experiments.sections.{module.name}")
    for module in pkgutil.iter_modules(experiments.sections.__path__)
]
CONJURED = {
    f"{module.__name__}.{name}": inspect.unwrap(value)
    for module in SECTIONS
    for name, value in vars(module).items()
    if getattr(getattr(value, "__code__", None), "co_name", "") == "conjured"
    and value.__module__ == module.__name__
}


@pytest.mark.parametrize("function", CONJURED.values(), ids=CONJURED)
def test_the_code_of_a_shipped_function_and_of_its_arguments_is_followed(function, monkeypatch):
    monkeypatch.setattr(dependencies, "_warned", set())
    monkeypatch.setattr(dependencies, "PACKAGE", Path("/nowhere"))  # look at that, too
    code_of.cache_clear()
    with warnings.catch_warnings():
        warnings.simplefilter("error", NotFollowed)
        code = code_of(function, roots_of(function))
    assert f"{function.__module__}.{function.__name__}" in code.symbols


def roots_of(function):
    """The code that the arguments of a call bring."""
    names = inspect.get_annotations(function)
    roots = {symbol_of(KINDS[names[name]]) for name in names if names[name] in KINDS}
    return frozenset(roots - {None})


def test_some_of_them_reach_the_codec():
    code = code_of(*reaching(CONJURED["experiments.sections.sounds.encoded"]))
    assert len(CONJURED) > 20 and "sparse_codec.codec.SparseCodec" in code.symbols


def reaching(function):
    return function, roots_of(function)


# In a process that has loaded no PyTorch, and once more when all modules are loaded.
KEYS = """
import importlib, json, sys
from report.keys.dependencies import code_of, variable_digests
from report.keys.values import Walk
from tests.experiments.test_keys import CONJURED, roots_of

def keys():
    code_of.cache_clear()
    codes = [code_of(function, roots_of(function)) for function in CONJURED.values()]
    values = [variable_digests(code.variables, Walk()) for code in codes]
    return [(code.symbols, code.versions) for code in codes], values, codes

*before, codes = keys()
assert "torch" not in sys.modules and "scipy" not in sys.modules
for name in {module for code in codes for module in code.modules}:
    importlib.import_module(name)
assert "torch" in sys.modules
*after, _ = keys()
assert before == after
"""


def test_keys_are_the_same_whether_modules_are_loaded_or_not():
    subprocess.run([sys.executable, "-c", KEYS], cwd=ROOT, check=True)
