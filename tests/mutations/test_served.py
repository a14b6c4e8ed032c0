"""The first edit of each kind, one after the other, in one process that serves: it rebuilds exactly
what can change, and finds all of it again when the edit is taken back."""

import json
import os
import select
import subprocess
import sys
from pathlib import Path

import pytest

from .catalogue import REBUILDS, Edit
from .test_mutations import ARTICLES, HERE, WEIGHTS, WITH_TORCH, build, computed, copy, named  # noqa: F401

ROOT = HERE.parents[1]
LIMIT = 60  # seconds for one run, on a busy machine
pytestmark = pytest.mark.slow

# Edits of what is installed are left out: the process that serves has it already.
SOME = {
    kind: [e for e in edits if e.file not in (WITH_TORCH, WEIGHTS) and "installed" not in e.file][
        :1
    ]
    for kind, edits in REBUILDS.items()
}


class Served:
    def __init__(self, project: Path):
        self.project = project
        self._process = subprocess.Popen(
            [sys.executable, HERE / "served.py", project.parent / "store", *ARTICLES],
            cwd=project,
            env=os.environ
            | {"PYTHONPATH": os.pathsep.join(map(str, [ROOT, project, project / "installed"]))},
            stdout=subprocess.PIPE,
            text=True,
        )
        self.report()

    def report(self) -> dict:
        """The report of the next run."""
        assert select.select([self._process.stdout], [], [], LIMIT)[0], "no article was run"
        return json.loads(self._process.stdout.readline())

    def after(self, edit: Edit) -> tuple[dict, dict]:
        """The reports after an edit, and after it was taken back."""
        files = [*self.project.glob(edit.file)] or [self.project / edit.file]
        before = {file: file.read_bytes() for file in files}
        edit.apply(self.project)
        edited = self.report()
        for file, content in before.items():
            file.write_bytes(content)
        return edited, self.report()

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


@pytest.fixture(scope="module")
def served(
    build,  # noqa: F811
    tmp_path_factory,
):
    served = Served(copy(build(), tmp_path_factory.mktemp("served")))
    yield served
    served.close()


@pytest.mark.parametrize("edit", named(SOME))
def test_an_edit_in_a_served_project_rebuilds_what_can_change(edit, served):
    edited, as_before = served.after(edit)
    # An article that the edit does not touch is not run: what it has is not in the report.
    assert computed(edited) == set(edit.rebuilt.split())
    assert computed(as_before) == set()
