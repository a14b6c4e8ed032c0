"""A plan says what a build would do and why, and computes nothing."""

import dataclasses
from pathlib import Path

import pytest

from report import FolderStore, build
from report.artifacts.record import Build
from report.errors import CellError, ReportError
from report.site.plan import FOUND, NEW, STALE, WAITS, plan
from tests.processes import Running

ARTICLE = '''"""Two tones"""
import numpy as np
from report import Data, Sound, conjure

LEVEL = 0.5


def tone(n):
    # as long as it is asked to be
    return np.sin(np.arange(n) / 10)


@conjure
def beep(n: int) -> Sound:
    return Sound(LEVEL * tone(n), 8000)


@conjure
def halved(sound) -> Sound:
    return Sound(sound.value.samples // 2, 8000)


@conjure
def count(n: int) -> Data:
    return Data(n)

# %%
[beep(100), beep(200)]

# %%
halved(beep(100))

# %%
count(COUNT)
'''


@pytest.fixture
def script(tmp_path):
    path = tmp_path / "tones.py"
    path.write_text(ARTICLE)
    return path


@pytest.fixture
def store(tmp_path, script):
    store = FolderStore(tmp_path / "store")
    build([script], tmp_path / "site", store, namespace={"COUNT": 3})
    return store


def planned(script, store, count=3):
    return plan([script], store, {"COUNT": count})


def states(plan):
    return {step.name.removeprefix("tones/"): step.state for step in plan.steps}


ALL_FOUND = {"beep/1": FOUND, "beep/2": FOUND, "halved/1": FOUND, "count/1": FOUND}


def test_after_a_build_nothing_is_to_be_done(script, store):
    result = planned(script, store)
    assert states(result) == ALL_FOUND and not result.unknown and not result.gone


def test_planning_computes_and_stores_nothing(script, tmp_path):
    result = planned(script, FolderStore(tmp_path / "empty"))
    assert set(states(result).values()) == {NEW} and not (tmp_path / "empty").exists()


def test_an_edit_is_named_with_its_line_and_its_difference(script, store):
    script.write_text("\n" + ARTICLE.replace("np.sin", "np.cos").replace("# as long", "# so long"))
    result = planned(script, store)
    assert states(result) == ALL_FOUND | {"beep/1": STALE, "beep/2": STALE, "halved/1": WAITS}
    (reason,) = result.of("beep/1")[0].reasons
    # The first changed line that is more than a comment.
    assert reason.text == "line 11 of tones.py changed, in tone"
    for line in ("-    return np.sin(np.arange(n) / 10)", "+    return np.cos(np.arange(n) / 10)"):
        assert line in reason.difference.splitlines()
    assert result.of("tones/beep/1")[0].record.seconds > 0


def test_what_waits_is_found_again_if_its_input_comes_out_the_same(script, store, tmp_path):
    script.write_text(ARTICLE.replace("LEVEL * tone(n)", "tone(n) * LEVEL"))
    assert states(planned(script, store)) == ALL_FOUND | {
        "beep/1": STALE,
        "beep/2": STALE,
        "halved/1": WAITS,
    }
    assert build([script], tmp_path / "site", store, namespace={"COUNT": 3}).computed == 2


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (
            ("LEVEL = 0.5", "LEVEL = 0.25"),
            "global LEVEL: 0.5 before, 0.25 now: line 5 of tones.py changed, or what it reads",
        ),
        (("def beep(n: int)", "def beep(n: int, more=1)"), "line 14 of tones.py changed, in beep"),
        (
            ("return np.sin", "return half(np.sin"),
            "half (tones.py, line 36) is used now",
        ),
        (
            ("Sound(LEVEL * tone(n), 8000)", "Sound(np.ones(n) * LEVEL, 8000)"),
            "tone is not used any more",
        ),
    ],
)
def test_every_kind_of_change_of_the_code_is_named(script, store, edit, reason):
    text = ARTICLE.replace(*edit)
    if "half(" in text:
        text = text.replace("np.arange(n) / 10)", "np.arange(n) / 10))")
        text += "\ndef half(x):\n    return x / 2\n"
        reason = reason.replace("line 36", f"line {text.splitlines().index('def half(x):') + 1}")
    script.write_text(text)
    (step, *_) = planned(script, store).of("beep/1")
    assert reason in [change.text for change in step.reasons]


def test_a_changed_argument_is_told_with_both_values(script, store):
    (step,) = planned(script, store, count=4).of("count")
    assert (step.state, [r.text for r in step.reasons]) == (STALE, ["argument n: 3 before, 4 now"])


MODEL = """\"\"\"A model\"\"\"
from report import Data, conjure

class Model:
    def __init__(self, seed):
        self.seed, self.steps = seed, 3

@conjure
def score(model) -> Data:
    return Data(model.seed)

score(Model(SEED))
"""


def test_the_setting_of_a_changed_argument_is_told(tmp_path, store):
    script = tmp_path / "model.py"
    script.write_text(MODEL)
    build([script], tmp_path / "site", store, namespace={"SEED": 0})
    (step,) = plan([script], store, {"SEED": 1}).of("score")
    assert [r.text for r in step.reasons] == ["argument model: seed was 0, is 1"]


def test_another_version_of_a_library_is_told(script, store):
    before = store.build("tones")
    calls = [(name, _with_versions(record)) for name, record in before.calls]
    store.put_build(Build("tones", calls))
    for path in store.storage.path.glob("index/*/*"):
        path.unlink()
    (step,) = planned(script, FolderStore(store.storage.path)).of("beep/1")
    assert step.state == FOUND or [r.text for r in step.reasons]


def _with_versions(record):
    return dataclasses.replace(record, key="ab" * 32, versions=record.versions | {"numpy": "0.1"})


def test_calls_of_the_last_build_that_are_gone_are_named(script, store):
    script.write_text(ARTICLE.replace("[beep(100), beep(200)]", "[beep(100)]"))
    assert planned(script, store).gone == ["tones/beep/2"]


def test_a_value_that_is_not_there_yet_ends_what_can_be_known(script, tmp_path):
    script.write_text(ARTICLE + "\n# %%\n[beep(n) for n in range(1, 1 + count(5).value)]\n")
    result = planned(script, FolderStore(tmp_path / "empty"))
    assert result.unknown == ["tones: what follows from count/2 is known once that is computed"]


def test_a_script_that_fails_fails_the_plan(script, store):
    script.write_text(ARTICLE + "\n# %%\n1 / 0\n")
    with pytest.raises(CellError, match="ZeroDivisionError"):
        planned(script, store)


def test_a_script_without_a_title_fails_the_plan_as_it_fails_the_build(script, store, tmp_path):
    script.write_text(ARTICLE.partition("\n")[2])
    for work in (lambda: planned(script, store), lambda: build([script], tmp_path / "site", store)):
        with pytest.raises(
            ReportError, match=r"tones.py has no docstring; its first line is the article's title,"
        ):
            work()


# ---- as commands


def report(*arguments, folder: Path):
    return Running("report", arguments, folder).wait()


def test_why_and_plan_on_the_command_line(script, tmp_path):
    script.write_text(ARTICLE.replace("COUNT", "3"))
    built = report("build", script.name, folder=tmp_path)
    assert built.returncode == 0, built.stderr
    fresh = report("why", "halved", script.name, folder=tmp_path)
    assert "tones/halved/1 is fresh because its key" in fresh.stdout
    script.write_text(ARTICLE.replace("COUNT", "3").replace("np.sin", "np.cos"))
    stale = report("why", "beep/2", script.name, folder=tmp_path)
    assert "tones/beep/2 is stale because\n  line 10 of tones.py changed, in tone\n" in stale.stdout
    assert "+    return np.cos" in stale.stdout and "2 more: see `plan`" in stale.stdout
    told = report("plan", script.name, folder=tmp_path)
    assert "to compute: 2 of 4" in told.stdout and "perhaps 1 more" in told.stdout
    unknown = report("why", "nobody", script.name, folder=tmp_path)
    assert unknown.returncode == 1 and "error: no artifact is called nobody" in unknown.stderr
    listed = report("ls", "*beep*", folder=tmp_path)
    assert "tones/beep/1" in listed.stdout and "2 of 4 artifacts" in listed.stdout


@pytest.mark.parametrize("break_", ["\f", "\u2028", "\x85", "\x1c"])
def test_lines_are_counted_as_python_counts_them(tmp_path, break_):
    script, store = tmp_path / "a.py", FolderStore(tmp_path / "store")
    lines = [
        '"""A"""',
        "from report import Data, conjure",
        "",
        f'TEXT = "a{break_}b"',
        "",
        "@conjure",
    ]
    lines += [
        "def f() -> Data:",
        f"    text = 'c{break_}d'",
        "    return Data(text + '1')",
        "# %%",
        "f()",
    ]
    script.write_text("\n".join(lines), encoding="utf-8")
    build([script], tmp_path / "site", store)
    script.write_text("\n".join(lines).replace("'1'", "'2'"), encoding="utf-8")
    (step,) = plan([script], store, {}).steps
    (reason,) = step.reasons
    assert reason.text == "line 9 of a.py changed, in f"
    assert "-    return Data(text + '1')" in reason.difference.split("\n")
