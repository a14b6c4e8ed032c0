"""What an edit of a project rebuilds: exactly what can change by it.

Each test copies the project beside this file, together with a store that holds all its artifacts, makes one edit and
runs the articles in a fresh process.
"""

import functools
import json
import os
import shutil
import subprocess
import sys
import sysconfig
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path

import pytest

from .catalogue import CHANGES_NOTHING, FOLLOWED, NOT_FOLLOWED, REBUILDS, Edit

pytestmark = pytest.mark.slow  # some 250 fresh processes: two minutes on two cores

HERE = Path(__file__).parent
WITH_TORCH = "tensors.py"  # takes seconds to import, so it only runs where it is edited


def named(edits: dict[str, list[Edit]]) -> list:
    return [
        pytest.param(edit, id=f"{kind}: {edit.what}")
        for kind, listed in edits.items()
        for edit in listed
    ]


def copy(built: Path, to: Path) -> Path:
    """What was built, once more. The store's files are linked: they are never written to, only replaced."""
    shutil.copytree(built / "project", to / "project")
    shutil.copytree(built / "store", to / "store", copy_function=os.link)
    return to / "project"


def run(project: Path, articles: list[str], without: str = "") -> dict:
    """Run the articles of a project on the store beside it; `without` leaves an ingredient out of the keys."""
    command = [
        sys.executable,
        HERE / "runner.py",
        project.parent / "store",
        *articles,
        "--without",
        without,
    ]
    environment = os.environ | {"PYTHONPATH": str(HERE.parent.parent), "PYTHONHASHSEED": "random"}
    environment["PYTHONDONTWRITEBYTECODE"] = "1"
    done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def articles(edit: Edit | None = None) -> list[str]:
    return [
        "demo.py",
        "moods.py",
        *([WITH_TORCH] if edit and edit.file in (WITH_TORCH, "**/*.py") else []),
    ]


@pytest.fixture(scope="module")
def build(tmp_path_factory):
    """A function that gives a folder with the project and a store with all its artifacts; one folder for each key."""

    @functools.cache
    def built(without: str = "") -> Path:
        folder = tmp_path_factory.mktemp("built")
        shutil.copytree(
            HERE / "project", folder / "project", ignore=shutil.ignore_patterns("__pycache__")
        )
        report = run(
            folder / "project", articles() if without else [*articles(), WITH_TORCH], without
        )
        assert set(report["states"].values()) == {"computed"} and report["warnings"] == []
        return folder

    return built


def after(edit: Edit, built: Path, folder: Path, without: str = "") -> dict:
    """What a run in a fresh copy of what was built reports after an edit."""
    project = copy(built, folder)
    edit.apply(project)
    return run(project, articles(edit), without)


@pytest.fixture(scope="module")
def reports(request, build, tmp_path_factory):
    """What a run reports after each edit that the tests ask for: run as many at a time as there are cores."""
    asked = [
        item.callspec.params["edit"]
        for item in request.session.items
        if "reports" in item.fixturenames
    ]
    folder = tmp_path_factory.mktemp("edited")
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        yield {
            edit: pool.submit(after, edit, build(), folder / str(n)) for n, edit in enumerate(asked)
        }


def computed(report: dict) -> set[str]:
    return {name for name, state in report["states"].items() if state == "computed"}


@pytest.mark.parametrize("edit", named(REBUILDS))
def test_an_edit_that_can_change_results_rebuilds_them_and_no_others(edit, reports):
    assert computed(reports[edit].result()) == set(edit.rebuilt.split())


@pytest.mark.parametrize("edit", named(CHANGES_NOTHING))
def test_an_edit_that_can_change_nothing_rebuilds_nothing(edit, reports):
    assert computed(reports[edit].result()) == set()


def test_an_edit_that_is_taken_back_finds_what_was_there(build, tmp_path):
    project = copy(build(), tmp_path)
    script = project / "studio" / "synth.py"
    before = script.read_text()
    states = []
    for text in (before, before.replace("np.sin", "np.cos"), before):
        script.write_text(text)
        states.append(computed(run(project, articles())))
    assert states == [set(), {"direct", "own_figure"}, set()]


@pytest.mark.parametrize("edits", [REBUILDS, CHANGES_NOTHING])
def test_every_kind_of_edit_is_tried_at_least_five_times(edits):
    assert (
        all(len(listed) >= 5 for listed in edits.values()) and sum(map(len, edits.values())) >= 60
    )


def test_every_artifact_is_rebuilt_by_some_edit(build):
    names = set(run(build() / "project", [*articles(), WITH_TORCH])["states"])
    assert names == set(" ".join(edit.rebuilt for edit in chain(*REBUILDS.values())).split())


# ---- what can not be followed


def new_lines(before: str, after: str) -> set[int]:
    """The numbers of the lines that an edit made."""
    return {
        n for n, line in enumerate(after.splitlines(), start=1) if line not in before.splitlines()
    }


@pytest.mark.parametrize("edit", named({"not followed": NOT_FOLLOWED}))
def test_a_warning_names_the_line_that_can_not_be_followed(edit, reports):
    before = (HERE / "project" / edit.file).read_text()
    lines = new_lines(before, edit.change(before))
    told = reports[edit].result()["warnings"]
    assert told and all(category == "NotFollowed" for category, _, _ in told)
    assert all(file.endswith(edit.file) and line in lines for _, file, line in told)


@pytest.mark.parametrize("edit", named({"followed": FOLLOWED}))
def test_what_can_be_followed_gives_no_warning(edit, reports):
    assert reports[edit].result()["warnings"] == []


COMPILED = """
#include <Python.h>
static PyObject *gain(PyObject *self, PyObject *unused) { return PyLong_FromLong(2); }
static PyMethodDef methods[] = {{"gain", gain, METH_NOARGS, ""}, {NULL}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "fast", "", -1, methods};
PyMODINIT_FUNC PyInit_fast(void) { return PyModule_Create(&module); }
"""


def test_a_warning_names_the_line_that_uses_a_compiled_module_of_no_library(build, tmp_path):
    headers = sysconfig.get_path("include")
    if not (shutil.which("cc") and Path(headers, "Python.h").exists()):
        pytest.skip("needs a C compiler and Python's headers: install gcc and python3-dev")
    studio = copy(build(), tmp_path) / "studio"
    command = ["cc", "-shared", "-fPIC", f"-I{headers}", "-xc", "-", "-o", studio / "fast.so"]
    subprocess.run(command, input=COMPILED, text=True, check=True)
    before = (studio / "late.py").read_text()
    after = before.replace("return [n,", "from studio import fast\n\n    return [fast.gain(),")
    (studio / "late.py").write_text(after)
    ((category, file, line),) = run(studio.parent, articles())["warnings"]
    assert (category, file) == ("NotFollowed", str(studio / "late.py")) and line in new_lines(
        before, after
    )


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
def test_a_key_without_an_ingredient_misses_edits(ingredient, kind, build, tmp_path):
    def missed(number: int, edit: Edit) -> set[str]:
        report = after(edit, build(ingredient), tmp_path / str(number), ingredient)
        return set(edit.rebuilt.split()) - computed(report)

    assert any(missed(*numbered) for numbered in enumerate(REBUILDS[kind]))


def test_a_key_without_the_function_takes_one_for_another(build):
    with pytest.raises(AssertionError, match=r"assert response\(2\)"):
        build("function")
