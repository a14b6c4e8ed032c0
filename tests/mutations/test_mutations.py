"""The artifacts that an edit of a project rebuilds: exactly those that can change by it.

Each test copies the project beside this file, together with a store that holds all its artifacts,
makes one edit and runs the articles in a process of their own.
"""

import functools
import json
import os
import shutil
import subprocess
import sysconfig
from itertools import chain
from pathlib import Path

import pytest

from . import runner
from .catalogue import CHANGES_NOTHING, FOLLOWED, NOT_FOLLOWED, REBUILDS, Edit
from .forks import Forks

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent
WITH_TORCH = "tensors.py"  # takes seconds to import, so it only runs where it is edited
WEIGHTS = "data/weights.txt"  # which that one reads
ARTICLES = ["demo.py", "moods.py"]
ALL_ARTICLES = [*ARTICLES, WITH_TORCH]


def named(edits: dict[str, list[Edit]]) -> list:
    return [
        pytest.param(edit, id=f"{kind}: {edit.what}")
        for kind, listed in edits.items()
        for edit in listed
    ]


def copy(built: Path, to: Path) -> Path:
    """Copy what was built. The store's files are linked: they are replaced, never written to."""
    shutil.copytree(built / "project", to / "project")
    shutil.copytree(built / "store", to / "store", copy_function=os.link)
    return to / "project"


def run(forks: Forks, project: Path, articles: list[str], without: str = "", jobs: int = 1) -> dict:
    """Run articles of a project on the store beside it, with keys `without` an ingredient."""
    arguments = str(project.parent / "store"), articles, without, jobs
    code = f"import runner; runner.main(*{arguments!r})"
    return json.loads(forks.output(code, project, [project, project / "installed"]))


@pytest.fixture(scope="session")
def build(builder, tmp_path_factory):
    """A function that builds the project with all its artifacts, once with each kind of keys."""

    @functools.cache
    def built(without: str = "") -> Path:
        folder = tmp_path_factory.mktemp("built")
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(HERE / "project", folder / "project", ignore=ignored)
        articles = ARTICLES if without else ALL_ARTICLES
        report = run(builder, folder / "project", articles, without)
        assert report["warnings"] == []
        if not without:  # a call with weaker keys may find what one inside of another stored
            assert set(report["states"].values()) == {"computed"}
        return folder

    return built


@pytest.fixture
def after(build, request, tmp_path):
    """A function that edits a fresh copy of what was built, and returns the report of a run."""

    def report_after(edit: Edit, folder: Path = tmp_path, without: str = "") -> dict:
        project = copy(build(without), folder)
        edit.apply(project)
        if edit.file in (WITH_TORCH, WEIGHTS, "**/*.py"):
            forks = request.getfixturevalue("editor_with_torch")
            return run(forks, project, ALL_ARTICLES, without)
        return run(request.getfixturevalue("editor"), project, ARTICLES, without)

    return report_after


def computed(report: dict) -> set[str]:
    return {name for name, state in report["states"].items() if state == "computed"}


@pytest.mark.parametrize("edit", named(REBUILDS))
def test_an_edit_that_can_change_results_rebuilds_them_and_no_others(edit, after):
    assert computed(after(edit)) == set(edit.rebuilt.split())


@pytest.mark.parametrize("edit", named(CHANGES_NOTHING))
def test_an_edit_that_can_change_nothing_rebuilds_nothing(edit, after):
    assert computed(after(edit)) == set()


# The first edit of each kind: it takes seconds to compute in processes what takes no time.
SOME = {kind: edits[:1] for kind, edits in {**REBUILDS, **CHANGES_NOTHING}.items()}


@pytest.mark.parametrize("edit", named(SOME))
def test_processes_side_by_side_rebuild_the_same(edit, build, editor, tmp_path):
    if edit.file in (WITH_TORCH, WEIGHTS):
        pytest.skip("the articles of these tests are without PyTorch")
    project = copy(build(), tmp_path)
    edit.apply(project)
    rebuilt = set(edit.rebuilt.split()) if edit in chain(*REBUILDS.values()) else set()
    report = run(editor, project, ARTICLES, jobs=2)
    assert computed(report) == rebuilt & report["states"].keys()


def test_an_edit_that_is_taken_back_finds_what_was_there(build, editor, tmp_path):
    project = copy(build(), tmp_path)
    script = project / "studio" / "synth.py"
    before = script.read_text()
    states = []
    for text in (before, before.replace("np.sin", "np.cos"), before):
        script.write_text(text)
        states.append(computed(run(editor, project, ARTICLES)))
    assert states == [set(), {"direct", "own_figure"}, set()]


@pytest.mark.parametrize("edits", [REBUILDS, CHANGES_NOTHING])
def test_every_kind_of_edit_is_tried_at_least_five_times(edits):
    assert all(len(listed) >= 5 for listed in edits.values())
    assert sum(map(len, edits.values())) >= 60


def test_every_artifact_is_rebuilt_by_some_edit(build, editor_with_torch):
    names = set(run(editor_with_torch, build() / "project", ALL_ARTICLES)["states"])
    assert names == set(" ".join(edit.rebuilt for edit in chain(*REBUILDS.values())).split())


# ---- what can not be followed


def new_lines(before: str, after: str) -> set[int]:
    """The numbers of the lines that an edit made."""
    old = before.splitlines()
    return {n for n, line in enumerate(after.splitlines(), start=1) if line not in old}


@pytest.mark.parametrize("edit", named(NOT_FOLLOWED))
def test_a_warning_names_the_line_that_can_not_be_followed(edit, after):
    before = (HERE / "project" / edit.file).read_text()
    lines = new_lines(before, edit.change(before))
    warnings = after(edit)["warnings"]
    assert warnings and all(category == "NotFollowed" for category, _, _ in warnings)
    assert all(file.endswith(edit.file) and line in lines for _, file, line in warnings)


@pytest.mark.parametrize("rule", NOT_FOLLOWED)
def test_only_the_rule_warns_of_its_edits(rule, build, editor, tmp_path):
    for number, edit in enumerate(NOT_FOLLOWED[rule]):
        project = copy(build(), tmp_path / str(number))
        edit.apply(project)
        assert run(editor, project, ARTICLES, without=f"rule {rule}")["warnings"] == []


def test_every_rule_that_warns_has_an_edit():
    rules = {*runner.listed_rules(), *runner.RULES} - {"a compiled module"}  # tested below
    assert rules == NOT_FOLLOWED.keys()


@pytest.mark.parametrize("edit", named({"followed": FOLLOWED}))
def test_what_can_be_followed_gives_no_warning(edit, after):
    assert after(edit)["warnings"] == []


COMPILED = """
#include <Python.h>
static PyObject *gain(PyObject *self, PyObject *unused) { return PyLong_FromLong(2); }
static PyMethodDef methods[] = {{"gain", gain, METH_NOARGS, ""}, {NULL}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "fast", "", -1, methods};
PyMODINIT_FUNC PyInit_fast(void) { return PyModule_Create(&module); }
"""


def test_a_warning_names_the_line_that_uses_a_compiled_module_of_no_library(
    build, editor, tmp_path
):
    headers = sysconfig.get_path("include")
    if not (shutil.which("cc") and Path(headers, "Python.h").exists()):
        pytest.skip("needs a C compiler and Python's headers: install gcc and python3-dev")
    studio = copy(build(), tmp_path) / "studio"
    command = ["cc", "-shared", "-fPIC", f"-I{headers}", "-xc", "-", "-o", studio / "fast.so"]
    subprocess.run(command, input=COMPILED, text=True, check=True)
    before = (studio / "late.py").read_text()
    after = before.replace("return [n,", "from studio import fast\n\n    return [fast.gain(),")
    (studio / "late.py").write_text(after)
    ((category, file, line),) = run(editor, studio.parent, ARTICLES)["warnings"]
    assert run(editor, studio.parent, ARTICLES, "rule a compiled module")["warnings"] == []
    assert (category, file) == ("NotFollowed", str(studio / "late.py"))
    assert line in new_lines(before, after)


# ---- a key that is too weak makes the tests above fail

WEAKER = {  # without this in the key, edits of that kind are missed
    "code": "own code",
    "arguments": "an argument",
    "globals": "a value that the source does not tell",
    "libraries": "a library",
    "device": "the kind of device",
    "functions": "a function reached through imports",
    "classes": "a class",
    "bases": "a base class",
    "decorators": "a decorator",
    "constants": "a constant",
    "defaults": "a default",
    "effects": "what a module does when it is imported",
}


@pytest.mark.parametrize(("ingredient", "kind"), WEAKER.items())
def test_a_key_without_an_ingredient_misses_edits(ingredient, kind, after, tmp_path):
    def missed(number: int, edit: Edit) -> set[str]:
        report = after(edit, tmp_path / str(number), ingredient)
        return set(edit.rebuilt.split()) - computed(report)

    assert any(missed(*numbered) for numbered in enumerate(REBUILDS[kind]))


def test_a_key_without_the_function_takes_one_for_another(build):
    with pytest.raises(AssertionError, match=r"assert response\(2\)"):
        build("function")
