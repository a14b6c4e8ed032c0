import functools
import os
import random
import subprocess
import sys
import warnings
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from report.artifacts.media import Data, Sound, to_int16
from report.artifacts.session import INGREDIENTS, Session, conjure, key_of, use_session, use_store
from report.artifacts.store import FolderStore, MemoryStore
from report.errors import ReportError, StoreError
from report.keys.values_in_source import NotFollowed

SCALE = 2


@conjure
def describe(x, y=1, *, z=None) -> Data:
    return Data(str(type(x)))


@pytest.fixture
def session(tmp_path):
    with use_store(FolderStore(tmp_path / "store")) as session:
        yield session


def key(*args, **kwargs):
    return describe(*args, **kwargs).record.key


def test_a_result_is_computed_once(session):
    first, second = describe(1), describe(1)
    assert (session.computed, session.hits) == (1, 0)
    assert first.record == second.record and first.value == "<class 'int'>"


def test_the_way_an_argument_is_passed_does_not_matter(session):
    assert key(1) == key(x=1) == key(1, 1) == key(y=1, x=1) == key(1, z=None)
    assert key(1) != key(2) and key(1) != key(1, 2)


def test_a_text_that_names_a_file_is_warned_of(session, tmp_path, monkeypatch):
    monkeypatch.setattr("report.artifacts.session._warned", set())
    monkeypatch.chdir(tmp_path)
    Path("mix.wav").write_bytes(b"1")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        describe("another.wav")
        describe(Path("mix.wav"))
        describe("a.wav\0")
    with pytest.warns(NotFollowed, match="'x' of describe is the text 'mix.wav', which names a"):
        describe("mix.wav")


@dataclass(frozen=True)
class Settings:
    size: int


@dataclass(frozen=True)
class OtherSettings:
    size: int


class Checkpoint:
    def __init__(self, digest):
        self.digest = digest


GRID = np.arange(6.0).reshape(2, 3)
DIFFERENT = [
    None, True, 1, 1.0, 0, 0.0, -0.0, "1", b"1", (1,), [1], {1}, {"1": 1}, {1: 1},
    np.array(1), np.float64(1),
    GRID, GRID.T, GRID.reshape(3, 2), GRID.astype(np.float32), GRID + 1,
    Settings(1), Settings(2), OtherSettings(1), Checkpoint("a"), Checkpoint("b"),
]  # fmt: skip


def test_different_values_have_different_keys(session):
    assert len({key(value) for value in DIFFERENT}) == len(DIFFERENT)


@pytest.mark.parametrize(
    ("one", "same"),
    [
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        ({"x", "y", "z"}, {"z", "y", "x"}),
        (GRID, np.asfortranarray(GRID)),
        (GRID, np.repeat(GRID, 2, axis=0)[::2]),
        (Settings(1), Settings(1)),
        (Checkpoint("a"), Checkpoint("a")),
        ([GRID, (1, {"k": GRID})], [GRID.copy(), (1, {"k": GRID.copy()})]),
    ],
)
def test_equal_values_have_equal_keys(session, one, same):
    assert key(one) == key(same)


class Listed(list):
    """A list that holds something else, too."""


def listed(items, **more):
    result = Listed(items)
    vars(result).update(more)
    return result


def with_more(value, **more):
    vars(value).update(more)
    return value


def test_what_a_value_holds_beside_its_items_or_fields_counts(session):
    values = [
        np.ma.array([1, 2], mask=[0, 1]), np.ma.array([1, 2], mask=[1, 0]), np.array([1, 2]),
        listed([1]), listed([1], a=1), listed([1], a=2), [1],
        defaultdict(list, a=1), defaultdict(set, a=1), {"a": 1},
        Settings(1), with_more(Settings(1), unit="s"),
    ]  # fmt: skip
    assert len({key(value) for value in values}) == len(values)


def test_a_function_that_only_calls_itself_like_another_is_refused(session):
    @functools.wraps(double)
    def tripled(n):
        return 3 * n

    with pytest.raises(TypeError, match="no name to key it by"):
        describe(tripled)


def test_folders_are_followed_through_links_and_what_is_no_file_is_refused(session, tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a.txt").write_text("1")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "link").symlink_to(tmp_path / "real")
    before = key(tmp_path / "folder")
    (tmp_path / "real" / "a.txt").write_text("22")
    assert key(tmp_path / "folder") != before
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ReportError, match="pipe is no file"):
        key(tmp_path / "pipe")


def test_tensors_are_keyed_by_value_and_are_no_arrays(session):
    torch = pytest.importorskip("torch")
    tensor = torch.arange(6.0).reshape(2, 3)
    assert key(tensor) == key(tensor.T.contiguous().T) == key(tensor.clone().requires_grad_())
    others = [
        tensor.T,
        tensor + 1,
        tensor.bfloat16(),
        tensor.numpy(),
        tensor.view(torch.int32),
        torch.zeros(0),
    ]
    assert len({key(x) for x in [tensor, *others]}) == 7


def test_paths_are_keyed_by_what_they_lead_to(session, tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder / "clips").mkdir(parents=True)
        (tmp_path / folder / "clips" / "x.wav").write_bytes(b"same")
    file, twin = (tmp_path / folder / "clips" / "x.wav" for folder in ("a", "b"))
    before, folder_before = key(file), key(file.parent)
    assert before == key(twin) and folder_before == key(twin.parent)
    assert "same" not in str(describe(file).record.arguments) and str(tmp_path) not in str(
        describe(file).record
    )
    file.write_bytes(b"edited")
    assert key(file) != before and key(file.parent) != folder_before
    with pytest.raises(ReportError, match="argument 'x': cannot read .*none.wav"):
        describe(tmp_path / "none.wav")


@dataclass(frozen=True)
class Excerpt:
    path: Path
    start: float


def test_a_record_can_be_read_by_people(session, tmp_path):
    (tmp_path / "x.wav").write_bytes(b"")
    record = describe(
        Excerpt(tmp_path / "x.wav", 1.5), y=GRID, z=Checkpoint("0123456789abcdef")
    ).record
    assert record.arguments == {
        "x": "Excerpt(path=x.wav, start=1.5)",
        "y": "ndarray float64 (2, 3)",
        "z": "Checkpoint 0123456789ab",
    }


def test_an_artifact_as_an_argument_stands_for_its_bytes(session):
    one, twin, other = describe(1), describe(1, z="same result"), describe(1.0)
    assert one.sha256 == twin.sha256 and key(one) == key(twin) != key(other)


@pytest.mark.parametrize(
    "value",
    [
        object(),
        lambda: 1,
        functools.partial(lambda: 1),
        [object()],
        np.array([object()]),
        (x for x in ()),
    ],
)
def test_an_argument_without_a_value_is_refused_by_name(session, value):
    with pytest.raises(
        TypeError, match=r"describe: argument 'x'.*has no (value|name) to key it by"
    ):
        describe(value)


@conjure
def scaled() -> Data:
    return Data([SCALE for _ in range(2)])


def test_a_global_that_the_function_reads_is_part_of_the_key(session, monkeypatch):
    assert scaled().value == [2, 2]
    monkeypatch.setitem(globals(), "SCALE", 3)
    assert scaled().value == [3, 3]


def double(n):
    return 2 * n


TABLE = {"double": double, "sizes": [1, (2, np.float32)]}


@conjure
def from_table() -> Data:
    return Data(TABLE["double"](2))


def test_functions_in_a_table_are_source_and_the_rest_of_it_is_value(session, monkeypatch):
    before = from_table().record.key
    assert from_table().value == 4
    monkeypatch.setitem(TABLE, "sizes", [2])
    assert from_table().record.key != before


def test_a_closure_is_refused():
    n = 3
    with pytest.raises(
        TypeError, match="uses n from the function around it; pass it as an argument"
    ):

        @conjure
        def closed() -> Data:
            return Data(n)


def test_the_kind_of_device_is_part_of_the_key(session):
    class Model:
        digest = "abc"
        device = "cpu"

    on_gpu = Model()
    on_gpu.device = "cuda:0"
    other_gpu = Model()
    other_gpu.device = "cuda:1"
    assert key(Model()) != key(on_gpu) == key(other_gpu)


CALLS = []


def count() -> int:
    CALLS.append(1)
    return len(CALLS)


@conjure
def fails_once() -> Data:
    if count() == 1:
        raise RuntimeError("the first time")
    return Data("fine")


def test_a_failure_is_not_kept(session):
    CALLS.clear()
    with pytest.raises(RuntimeError):
        fails_once()
    assert fails_once().value == "fine" and (session.computed, session.hits) == (1, 0)


@conjure
def returns_an_array():
    return np.zeros(3)


def test_only_media_may_be_returned(session):
    with pytest.raises(
        TypeError, match="returns_an_array returned ndarray; it has to return Sound, Figure"
    ):
        returns_an_array()


@conjure
def says_sound() -> Sound:
    return Data(1)


def test_what_is_returned_is_what_is_said(session):
    with pytest.raises(TypeError, match="says_sound returned Data; it has to return Sound"):
        says_sound()


def test_a_function_of_a_module_as_an_argument_stands_for_its_code(session):
    keys = {
        key(to_int16),
        key(double),
        key(functools.partial(double, 1)),
        key(functools.partial(double, 2)),
        key(Settings),
    }
    assert len(keys) == 5 and key(double) == key(double)
    code = describe(to_int16).record.code
    assert code == describe(to_int16, y=3).record.code != describe(double).record.code


def test_a_key_is_made_of_all_its_ingredients():
    parts = {name: {"a": "1"} for name in INGREDIENTS}
    assert (
        len({key_of(parts), *(key_of(parts | {name: {"a": "2"}}) for name in INGREDIENTS)})
        == len(INGREDIENTS) + 1
    )


def test_calls_of_an_article_are_named_in_the_order_in_which_they_are_made(session):
    session.begin("music")
    for x in (1, 2, 1):
        describe(x)
    beep(5)
    assert [name for name, _ in session.calls.values()] == ["describe/1", "describe/2", "beep/1"]


def test_what_is_forced_is_computed_again(session):
    describe(1), beep(5)
    with use_session(Session(session.store, force=("describe",))) as again:
        describe(1), beep(5)
    assert (again.computed, again.hits) == (1, 1)


@conjure
def beep(n: int) -> Sound:
    return Sound(np.linspace(-0.5, 0.5, n), 8000)


def test_without_a_store_artifacts_live_in_memory():
    artifact = beep(100)
    assert artifact.value.samples.dtype == np.int16 and artifact.value.samplerate == 8000
    assert artifact.name == f"{artifact.sha256}.flac" and artifact.media_type == "audio/flac"
    assert artifact.info["n_samples"] == 100 and artifact.digest == artifact.sha256


def test_progress_hears_of_every_record_once(tmp_path):
    heard = []
    with use_store(FolderStore(tmp_path), heard.append):
        records = [beep(5).record, beep(6).record, beep(5).record]
    assert heard == records[:2]


def test_a_damaged_store_is_an_error_and_nothing_is_computed_again(tmp_path):
    with use_store(FolderStore(tmp_path)):
        beep(7)
    object_, record = next(tmp_path.glob("objects/*/*")), next(tmp_path.glob("index/*/*"))
    object_.write_bytes(b"")
    for damage, text in ((object_, b""), (record, b"{")):
        damage.write_bytes(text)
        with (
            use_store(FolderStore(tmp_path)) as session,
            pytest.raises(StoreError, match="--force"),
        ):
            _ = beep(7).value
        assert session.computed == 0


def test_following_the_advice_heals_the_store(tmp_path):
    with use_store(FolderStore(tmp_path)):
        key = beep(7).record.key
    for damaged in (next(tmp_path.glob("objects/*/*")), next(tmp_path.glob("index/*/*"))):
        damaged.write_bytes(b"damaged")
        with use_session(Session(FolderStore(tmp_path), force=(key[:12],))) as session:
            assert beep(7).value.samples.size == 7 and session.computed == 1


def test_a_key_is_the_same_before_and_after_pytorch_is_imported(tmp_path):
    """As by a function that is called first: a warm build does not call it."""
    (tmp_path / "late.py").write_text(
        "from report import Data\ndef f(n: int) -> Data:\n    import torch\n"
        "    return Data(torch.zeros(n).tolist())\n"
    )
    code = (
        "import inspect, sys, late\nfrom report.artifacts.session import request_of\n"
        "call = inspect.signature(late.f).bind(3)\nbefore = request_of(late.f, call).key\n"
        "assert 'torch' not in sys.modules\nimport torch\n"
        "assert request_of(late.f, call).key == before\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


@conjure
def drawn(n: int) -> Data:
    return Data([random.random(), float(np.random.rand()), n])


@conjure
def drawn_inside(n: int) -> Data:
    return Data([drawn(n).value, random.random()])


def test_random_numbers_of_a_call_depend_on_nothing_but_its_key():
    with use_store(MemoryStore()):
        random.seed(1), np.random.seed(1)
        expected = random.getstate()
        values = [drawn(n).value for n in (1, 2)]
        assert random.getstate() == expected  # those of the article go on as if none was called
    with use_store(MemoryStore()):
        random.random()
        assert [drawn(n).value for n in (2, 1)] == values[::-1]
    assert values[0][0] != values[1][0]


def test_pytorch_is_seeded_when_it_is_imported_though_others_looked_for_it_before(tmp_path):
    """As libraries do to see if it is installed, and keys of functions that import it."""
    (tmp_path / "torch.py").write_text("seeds = []\nmanual_seed = seeds.append\n")
    program = """
import importlib.util, sys
from report.artifacts.randomness import SEED, begin_alike
begin_alike()
assert importlib.util.find_spec("torch").origin.endswith("torch.py")
import torch
assert torch.seeds == [SEED], torch.seeds
assert "Seed" not in f"{sys.meta_path} {torch.__spec__.loader}"
"""
    path = os.pathsep.join([str(tmp_path), *sys.path])
    environment = {**os.environ, "PYTHONPATH": path}
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_call_inside_of_another_is_no_call_of_the_article():
    """Or a build that finds the other one would list other calls than the one that computed it."""
    store, names = MemoryStore(), []
    for _ in range(2):
        with use_store(store) as session:
            session.begin("article")
            drawn_inside(3)
            names.append([name for name, _ in session.finish().calls])
    assert names == [["drawn_inside/1"]] * 2
    with use_store(store) as session:
        drawn(3)
        assert (session.hits, session.computed) == (1, 0)


@dataclass
class Model:
    """Like an estimator: fitting it changes it."""

    steps: int
    fitted: float | None = None

    def get_params(self):
        return {"steps": self.steps}


@conjure
def changes(x) -> Data:
    if isinstance(x, Path):
        (x / "result").write_text("")
    elif isinstance(x, Model):
        x.fitted = 0.5
    else:
        x[0] = 1
    return Data(1)


@pytest.mark.parametrize(
    ("make", "advice"),
    [
        (lambda _: Model(3), "`x = sklearn.base.clone(x)`"),
        (lambda _: [0, 2], "`x = copy.deepcopy(x)`"),
        (lambda _: np.zeros(2), "`x = copy.deepcopy(x)`"),
        (lambda _: {0: 2}, "`x = copy.deepcopy(x)`"),
        (lambda folder: folder, "write to another place"),
    ],
)
def test_a_function_that_changes_its_argument_is_refused(tmp_path, make, advice):
    (tmp_path / "given").mkdir()
    with (
        use_store(MemoryStore()) as session,
        pytest.raises(ReportError, match="^changes changed its argument 'x'") as error,
    ):
        changes(make(tmp_path / "given"))
    assert advice in str(error.value) and not session.computed


HEARD = list(map(int, "12"))  # a global that is known by its value


@conjure
def hears(x) -> Data:
    heard = HEARD
    heard.append(x)
    return Data(len(heard))


def test_a_function_that_changes_a_global_is_refused(session):
    with pytest.raises(ReportError, match=r"^hears changed the global .*HEARD"):
        hears(1)


def test_the_samples_of_a_sound_are_not_changed_in_place(session):
    sound = pan(0.5)
    with pytest.raises(ValueError, match="read-only"):
        sound.value.samples[0] = 1


@conjure
def pan(level) -> Sound:
    return Sound(np.linspace(-level, level, 100), 8000)


@conjure
def warns(model) -> Data:
    print(warnings.formatwarning("too few steps", UserWarning, "lib.py", 3), end="")
    return Data(1)


def test_a_warning_names_the_call_that_it_is_from(session, capsys):
    before = warnings.formatwarning
    warns(Model(3))
    said = capsys.readouterr().out
    assert said.startswith(
        "in warns(model=Model(steps=3, fitted=None)): lib.py:3: UserWarning: too"
    )
    assert warnings.formatwarning is before
