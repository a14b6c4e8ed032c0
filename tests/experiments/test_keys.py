"""The keys of the shipped articles see all that their results depend on."""

import importlib
import inspect
import pkgutil
import warnings

import pytest

import experiments.sections
from report.artifacts.session import Artifact
from report.keys import dependencies
from report.keys.dependencies import NotFollowed, code_of
from report.keys.values import symbol_of

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
    code_of.cache_clear()
    kinds = set(inspect.get_annotations(function, eval_str=True).values()) - {Artifact}
    roots = {symbol_of(kind) for kind in kinds if isinstance(kind, type)}
    with warnings.catch_warnings():
        warnings.simplefilter("error", NotFollowed)
        code = code_of(function, frozenset(roots - {None}))
    assert f"{function.__module__}.{function.__name__}" in code.symbols


def test_some_of_them_reach_the_codec():
    codec = inspect.get_annotations(CONJURED["experiments.sections.sounds.encoded"], eval_str=True)[
        "codec"
    ]
    assert len(CONJURED) > 20 and codec.__name__ == "SparseCodec"
