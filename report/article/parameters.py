"""Parameters of an article: its annotated defaults, such as `STEPS: int = 100` on the top level.

A value that is given before the script runs stays in the place of the default. Functions that read
it have it in their keys, as any global.
"""

import ast
import difflib
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from report.article.cells import syntax_tree
from report.errors import ReportError
from report.keys.source import read_source

TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
KINDS = ("bool", "float", "int", "str")


@dataclass(frozen=True)
class Parameter:
    """An annotated default of a script, and the values that it can have."""

    name: str
    kind: str  # the annotation, as it is written
    default: str  # as it is written
    choices: tuple[Any, ...] = ()  # of a Literal

    def parse(self, text: str) -> Any:
        """Return the value that a text stands for. Raises: ValueError."""
        if self.choices:
            return {str(choice): choice for choice in self.choices}[text]
        if self.kind == "bool":
            return TRUTH[text.lower()]
        if self.kind == "str":
            return text
        return int(text) if self.kind == "int" else float(text)

    @property
    def expected(self) -> str:
        """The values that it can have, in words."""
        if self.choices:
            return f"one of {', '.join(map(repr, self.choices))}"
        if self.kind == "bool":
            return "a bool: true or false"
        return f"{'an' if self.kind == 'int' else 'a'} {self.kind}"


def parameters_of(script: Path) -> dict[str, Parameter]:
    """Return the parameters of a script by name. Raises: ReportError if it can not be read."""
    parameters = {}
    for statement in syntax_tree(read_source(script), script).body:
        if name := declared(statement):
            assert isinstance(statement, ast.AnnAssign) and statement.value is not None
            kind = ast.unparse(statement.annotation)
            choices = _choices(statement.annotation)
            parameters[name] = Parameter(name, kind, ast.unparse(statement.value), choices)
    return parameters


def declared(statement: ast.stmt) -> str:
    """Return the name of the parameter that a statement declares, or ""."""
    if not isinstance(statement, ast.AnnAssign) or statement.value is None:
        return ""
    return statement.target.id if isinstance(statement.target, ast.Name) else ""


def read_settings(texts: Iterable[str], scripts: Iterable[Path]) -> dict[str, Any]:
    """Return name -> value for texts such as "STEPS=50", by the types that the scripts say.

    Raises: ReportError for a name that no script has, and for a value that is of another type.
    """
    pairs = [_split(text) for text in texts]
    found = {script: parameters_of(script) for script in scripts} if pairs else {}
    settings = {}
    for name, text in pairs:
        values = [
            _value(script, parameters[name], text)
            for script, parameters in found.items()
            if name in parameters
        ]
        if not values:
            raise ReportError(_unknown(name, found))
        if len({type(value) for value in values}) > 1:
            raise ReportError(f"--set {name}: its types differ in the articles; build one by one")
        settings[name] = values[0]
    return settings


def with_settings(source: str, given: Mapping[str, Any]) -> str:
    """Return code in which the parameters that are given have these values as their defaults."""
    lines = source.encode().splitlines(keepends=True)  # columns are counted in bytes
    for statement in reversed(ast.parse(source).body):
        if (name := declared(statement)) not in given:
            continue
        assert isinstance(statement, ast.AnnAssign) and statement.value is not None
        old = statement.value
        assert old.end_lineno is not None and old.end_col_offset is not None
        before = lines[old.lineno - 1][: old.col_offset]
        behind = lines[old.end_lineno - 1][old.end_col_offset :]
        new = before + _written(given[name]).encode() + behind
        lines[old.lineno - 1 : old.end_lineno] = [new]
    return b"".join(lines).decode()


def _written(value: Any) -> str:
    endless = isinstance(value, float) and not math.isfinite(value)
    return f"float({str(value)!r})" if endless else repr(value)


def settings_text(script: Path, given: Mapping[str, Any]) -> str:
    """Return the parameters of a script that were given, as "STEPS = 50, VOICE = 'alto'"."""
    return ", ".join(f"{name} = {given[name]!r}" for name in parameters_of(script) if name in given)


def _split(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip().isidentifier():
        raise ReportError(f"--set {text}: write it as NAME=VALUE")
    return name.strip(), value


def _value(script: Path, parameter: Parameter, text: str) -> Any:
    name = parameter.name
    if not parameter.choices and parameter.kind not in KINDS:
        raise ReportError(
            f"--set {name}: {script.name} says {parameter.kind}, which can not be set; "
            f"use {', '.join(KINDS)} or Literal[...], and make the rest of it"
        )
    if re.search(rf"\bglobal\b.*\b{name}\b", read_source(script)):
        raise ReportError(f"--set {name}: a function of {script.name} writes to it, too")
    try:
        return parameter.parse(text)
    except (KeyError, ValueError):
        raise ReportError(
            f"--set {name}: {text!r} is not {parameter.expected} "
            f"(the default of {script.name} is {parameter.default})"
        ) from None


def _unknown(name: str, found: Mapping[Path, Mapping[str, Parameter]]) -> str:
    known = [parameter for parameters in found.values() for parameter in parameters.values()]
    scripts = ", ".join(script.name for script in found)
    if not known:
        return (
            f"--set {name}: {scripts} has no parameters; declare one on the top level, "
            f"as in {name}: int = 100"
        )
    names = list(dict.fromkeys(parameter.name for parameter in known))
    near = difflib.get_close_matches(name.upper(), {n.upper(): n for n in names}, 1, 0.5)
    nearest = next((p for p in known if near and p.name.upper() == near[0]), None)
    if nearest:
        return f"--set {name}: no parameter of {scripts}; is it {nearest.name} ({nearest.kind})?"
    listed = ", ".join(f"{p.name} ({p.kind})" for p in known)
    return f"--set {name}: no parameter of {scripts}; there are {listed}"


def _choices(annotation: ast.expr) -> tuple[Any, ...]:
    """Return the values of `Literal[...]`; none for other annotations."""
    if not isinstance(annotation, ast.Subscript):
        return ()
    if ast.unparse(annotation.value).rpartition(".")[2] != "Literal":
        return ()
    try:
        value = ast.literal_eval(annotation.slice)
    except ValueError:
        return ()
    return value if isinstance(value, tuple) else (value,)
