"""Values in a key: all of their state is there, or they are refused with words."""

import datetime
import decimal
import enum
import fractions
import functools
import json
import logging
import os
import pickle
import re
import subprocess
import sys
import types
import uuid
import zoneinfo
from collections import Counter, OrderedDict, defaultdict, namedtuple
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import numpy as np
import pytest
import scipy.sparse
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sklearn.decomposition import NMF
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from report.keys.values import Walk, identity, readable, settings_in

# ---- types that hide something at first sight


class Hertz(float):
    def __repr__(self):
        return f"{float(self):.0f} Hz"


class Octave(int):
    def __repr__(self):
        return "an octave"


class Name(str):
    __slots__ = ()

    def __repr__(self):
        return "a name"


class Unit(str):
    def __new__(cls, n):
        unit = super().__new__(cls, "m")
        unit.power = n
        return unit


class Level(np.float64):
    def __repr__(self):
        return "loud"


class Price(decimal.Decimal):
    def __repr__(self):
        return "cheap"


class Ratio(fractions.Fraction):
    __slots__ = ("cents",)


class Label(uuid.UUID):
    def __str__(self):
        return "a label"


class Day(datetime.date):
    def __repr__(self):
        return "today"


class Shift(datetime.tzinfo):
    def __init__(self, hours):
        self.hours = hours

    def utcoffset(self, when):
        return datetime.timedelta(hours=self.hours)


class Tag(bytes):
    def __repr__(self):
        return "b''"


class Listed(list):
    def __iter__(self):
        return iter(())


class Slotted(list):
    __slots__ = ("more",)


class Mapping(dict):
    def items(self):
        return ()


class Collection(set):
    def __iter__(self):
        return iter(())


Pair = namedtuple("Pair", "one other")


class Plain:
    __slots__ = ("inside",)


class Private:
    __slots__ = ("__inside",)

    def __init__(self, inside):
        self.__inside = inside


@dataclass
class OnPlain(Plain):
    number: int = 0


@dataclass
class OnPrivate(Private):
    number: int = 0

    def __post_init__(self):
        Private.__init__(self, self.number)
        self.number = 0


@dataclass(frozen=True, slots=True)
class Setting:
    value: object


@dataclass
class Uncompared:
    value: object = field(compare=False, repr=False)


@dataclass
class ItemsAndField(list):
    value: object


class Louder:
    """A decorator that is an object."""

    __slots__ = ("__dict__", "by")

    def __init__(self, function):
        functools.update_wrapper(self, function)
        self.by = 1

    def __call__(self):
        return self.by * self.__wrapped__()


@Louder
def decorated():
    return 1


def attributed():
    return attributed.gain


class Room:
    """What methods are bound to."""

    def __init__(self, size):
        self.size = size

    def echo(self):
        return self.size


@dataclass
class Hall:
    size: object

    def echo(self):
        return self.size

    @classmethod
    def of(cls, size):
        return cls(size)


class Grade(enum.Enum):
    LOW = 0, "shared"
    MIDDLE = 1, "shared"
    HIGH = 2, "shared"
    TOP = 3, "shared"

    def __new__(cls, number, value):
        member = object.__new__(cls)
        member._value_ = number
        return member


class Partial(functools.partial):
    pass


class Samples(np.ndarray):
    pass


class Signal(torch.Tensor):
    pass


def scaled(by, x=1):
    return by * x


def with_more(value, **more):
    for name, item in more.items():
        setattr(value, name, item)
    return value


def counting(n):
    net = torch.nn.Linear(2, 2)
    with torch.no_grad():
        net.weight.fill_(n)
        net.bias.fill_(0)
    return net


def recurring(n):
    """A network that also holds weak references to its weights."""
    torch.manual_seed(n)
    return torch.nn.GRU(1, 1)


def spectrum(n):
    return torch.tensor([1 + 1j, n - 2j])


def learned(n):
    weight = torch.nn.Parameter(torch.zeros(2))
    weight.grad = torch.full((2,), float(n))
    return weight


LEAVES = {  # from a small number, another value for each
    "int": int,
    "float": lambda n: n / 3,
    "complex": lambda n: complex(0, n),
    "str": str,
    "float subclass": lambda n: Hertz(440 + n / 10),
    "int subclass": Octave,
    "str subclass": lambda n: Name(n),
    "str subclass with an attribute": Unit,
    "bytes subclass": lambda n: Tag([n]),
    "NumPy float": np.float64,
    "NumPy float subclass": Level,
    "decimal": Price,
    "fraction": lambda n: Ratio(1, n + 1),
    "fraction with a slot": lambda n: with_more(Ratio(1, 2), cents=n),
    "UUID": lambda n: Label(int=n),
    "date": lambda n: Day(2026, 1, n + 1),
    "datetime": lambda n: datetime.datetime(2026, 1, 1, microsecond=n),
    "fold": lambda n: datetime.datetime(2026, 10, 25, 2, n // 2, fold=n % 2),
    "time": lambda n: datetime.time(n, tzinfo=datetime.UTC),
    "time zone": Shift,
    "named zone": lambda n: zoneinfo.ZoneInfo(f"Etc/GMT+{n + 1}"),
    "datetime in a zone": lambda n: datetime.datetime(2026, 1, 1, tzinfo=Shift(n)),
    "duration": lambda n: datetime.timedelta(microseconds=n),
    "range": range,
    "pattern": lambda n: re.compile(str(n)),
    "enum": lambda n: list(Grade)[n],
    "array": lambda n: np.array([1, n]),
    "array of records": lambda n: np.array([(1, n)], np.dtype("i1,i8", align=True)),
    "array of texts": lambda n: np.array(["a", str(n)]),
    "array subclass": lambda n: with_more(np.ones(2).view(Samples), rate=n),
    "masked array": lambda n: np.ma.array([1, 2, 3, 4], mask=np.arange(4) == n),
    "dtype": lambda n: np.dtype([("x", "f4", n + 1)]),
    "tensor": lambda n: torch.tensor([1.0, n]),
    "half": lambda n: torch.tensor([1.0, n], dtype=torch.bfloat16),
    "conjugate": lambda n: spectrum(n).conj(),
    "its imaginary part": lambda n: (spectrum(1) * (n + 1)).conj().imag,
    "tensor subclass": lambda n: with_more(torch.ones(2).as_subclass(Signal), rate=n),
    "gradient": learned,
    "network": counting,
    "network that recurs": recurring,
    "network in training": lambda n: torch.nn.Dropout(n / 4).train(n > 1),
    "size": lambda n: torch.Size([n]),
    "counter": lambda n: Counter({"a": n}),
}


AROUND = {  # from a value
    "list": lambda x: [x],
    "list subclass": lambda x: Listed([x]),
    "attribute of a list": lambda x: with_more(Listed(), more=x),
    "slot of a list": lambda x: with_more(Slotted([1]), more=x),
    "tuple": lambda x: (1, x),
    "named tuple": lambda x: Pair(x, 1),
    "dict": lambda x: {"a": x},
    "dict subclass": lambda x: Mapping(a=x),
    "ordered dict": lambda x: OrderedDict(a=x, b=1),
    "default dict": lambda x: defaultdict(list, a=x),
    "default of a dict": lambda x: defaultdict(functools.partial(scaled, x)),
    "mapping proxy": lambda x: types.MappingProxyType({"a": x}),
    "slice": lambda x: slice(x),
    "own class": Room,
    "namespace": lambda x: types.SimpleNamespace(a=x),
    "array of objects": lambda x: in_objects(x),
    "dataclass": Hall,
    "dataclass with slots": Setting,
    "attribute of a dataclass": lambda x: with_more(Hall(1), more=x),
    "slot of a plain base": lambda x: with_more(OnPlain(), inside=x),
    "private slot of a plain base": OnPrivate,
    "field that is not compared": Uncompared,
    "field of a list": ItemsAndField,
    "bound method": lambda x: Hall(x).echo,
    "bound to a subclass": lambda x: Listed([x]).append,
    "bound built-in": lambda x: [x].append,
    "partial": lambda x: functools.partial(scaled, x),
    "partial by keyword": lambda x: functools.partial(scaled, x=x),
    "partial of a method": lambda x: functools.partial(Hall(x).echo),
    "attribute of a partial": lambda x: with_more(Partial(scaled), more=x),
}


def in_objects(value):
    """An array that holds the value itself: np.array() would ask a tensor for its numbers."""
    array = np.empty(2, dtype=object)
    array[0] = value
    return array


NUMBERS = st.integers(0, 3)


def made(shape, number):
    """A new value: what the last name in `shape` makes of the number, and the others around it."""
    *around, leaf = shape
    value = LEAVES[leaf](number)
    for name in reversed(around):
        value = AROUND[name](value)
    return value


def key(value, **options):
    return json.dumps(identity(value, "x", Walk(), **options))


def test_the_functions_and_classes_here_can_be_named():
    assert key(scaled) != key(Hall) != key(Hall.of)


@pytest.mark.parametrize("leaf", LEAVES)
def test_values_that_differ_have_different_keys(leaf):
    keys = [key(made([leaf], n)) for n in range(4)]
    assert len(set(keys)) == 4 and keys == [key(made([leaf], n)) for n in range(4)]


@pytest.mark.parametrize("around", AROUND)
def test_what_differs_far_inside_makes_another_key(around):
    keys = [key(made([around, around, "float subclass"], n)) for n in range(4)]
    assert len(set(keys)) == 4


@given(
    st.lists(st.sampled_from(sorted(AROUND)), max_size=4),
    st.sampled_from(sorted(LEAVES)),
    NUMBERS,
    NUMBERS,
)
@settings(max_examples=300, deadline=None)
@example(["slot of a list", "partial of a method"], "conjugate", 1, 2)
def test_keys_are_equal_for_equal_values_only(around, leaf, one, other):
    shape = [*around, leaf]
    assert (key(made(shape, one)) == key(made(shape, other))) == (one == other)


@given(*(st.tuples(st.sampled_from(sorted(LEAVES)), NUMBERS) for _ in range(2)))
@settings(max_examples=200, deadline=None)
def test_values_of_two_types_have_different_keys(one, other):
    values = [made([leaf], number) for leaf, number in (one, other)]
    if type(values[0]) is not type(values[1]):
        assert key(values[0]) != key(values[1])


def test_the_data_of_functions_and_of_their_wrappers_count():
    keys = [key([decorated, attributed])]
    for gain in (1, 2):
        decorated.by = 2
        attributed.gain = gain
        keys.append(key([decorated, attributed]))
    decorated.by = 3
    assert len({*keys, key([decorated, attributed])}) == 4


def test_orders_count_where_they_are_part_of_the_value():
    assert key({"a": 1, "b": 2}) == key({"b": 2, "a": 1})
    assert key(Collection("ab")) == key(Collection("ba")) != key(Collection("a"))
    ordered = OrderedDict(a=1, b=2)
    before = key(ordered)
    ordered.move_to_end("a")
    assert key(ordered) != before


def test_what_lies_between_the_fields_of_an_array_does_not_count():
    kind = np.dtype("i1,i8", align=True)
    arrays = [np.full(16, filling, np.uint8).view(kind) for filling in (0, 255)]
    for array in arrays:
        array["f0"], array["f1"] = 1, 2
    assert key(arrays[0]) == key(arrays[1])


@pytest.mark.skipif(np.finfo(np.longdouble).nmant != 63, reason="long doubles have no padding")
@pytest.mark.parametrize("kind", [np.longdouble, np.clongdouble])
def test_what_pads_a_long_double_does_not_count(kind):
    array = np.arange(1, 9).astype(kind) / 3
    same = array.copy()
    same.view(np.uint8).reshape(-1, np.dtype(np.longdouble).itemsize)[:, 10:] += 1
    assert (array == same).all() and key(array) == key(same)
    assert key(array) != key(array * (1 + np.finfo(kind).eps))


def test_an_array_in_a_file_is_known_by_its_numbers(tmp_path):
    """Wherever the file is, and of a part of it, too."""
    for name, numbers in (("one", [1, 2, 3]), ("same", [1, 2, 3]), ("other", [1, 2, 4])):
        np.save(tmp_path / f"{name}.npy", np.array(numbers))
    one, same, other = (
        np.load(tmp_path / f"{name}.npy", mmap_mode="r") for name in ("one", "same", "other")
    )
    assert key(one) == key(same) != key(other)
    assert key(one[:2]) == key(other[:2]) != key(one[1:])


def test_devices_are_noted_in_the_order_of_the_keys_and_not_of_the_dict():
    class Model:
        digest, device = "abc", "cuda:0"

    walks = [Walk(), Walk()]
    identity({1: Model()}, "x", walks[0])
    identity({Setting(1): Model()}, "x", walks[1])
    assert walks[0].devices == [["x[1]", "cuda"]]
    assert walks[1].devices == [["x[Setting(value=1)]", "cuda"]]


# ---- fitted estimators


SOUNDS = np.abs(np.random.default_rng(0).normal(size=(40, 4)))
FITTED = {  # from data (n, 4) and targets (n,)
    "arrays": lambda x, y: NMF(2, random_state=0, max_iter=5).fit(x),
    "trees": lambda x, y: RandomForestClassifier(3, random_state=0).fit(x, y),
    "trees in an array": lambda x, y: GradientBoostingClassifier(
        n_estimators=2, random_state=0
    ).fit(x, y),
    "random state": lambda x, y: MLPClassifier((3,), random_state=0, max_iter=2).fit(x, y),
    "a generator": lambda x, y: HistGradientBoostingClassifier(max_iter=2, random_state=0).fit(
        x, y
    ),
    "a k-d tree": lambda x, y: KNeighborsClassifier(algorithm="kd_tree").fit(x, y),
    "a pipeline": lambda x, y: make_pipeline(StandardScaler(), SVC()).fit(x, y),
    "a sparse matrix": lambda x, y: SVC().fit(scipy.sparse.csr_matrix(x), y),
}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("fit", FITTED.values(), ids=FITTED)
def test_estimators_fitted_alike_are_equal_and_others_differ(fit):
    targets = (SOUNDS[:, 0] > SOUNDS[:, 1]).astype(int)
    one, same, other = (fit(data, targets) for data in (SOUNDS, SOUNDS.copy(), 2 * SOUNDS + 1))
    assert key(one) == key(same) == key(pickle.loads(pickle.dumps(one))) != key(other)


def test_an_estimator_has_the_same_key_in_another_process():
    program = """
import hashlib, json
import numpy as np
from sklearn.ensemble import RandomForestClassifier
from report.keys.values import Walk, identity
x = np.random.default_rng(0).normal(size=(40, 4))
model = RandomForestClassifier(3, random_state=0).fit(x, x[:, 0] > 0)
print(hashlib.sha256(json.dumps(identity(model, "x", Walk())).encode()).hexdigest())
"""
    path = os.pathsep.join(filter(None, sys.path))
    keys = [
        subprocess.run(
            [sys.executable, "-c", program],
            env=os.environ | {"PYTHONPATH": path, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert keys[0] == keys[1] != ""


# ---- refused


class Drawn(torch.Generator):
    """Random state in C, whose members show nothing but its address."""


class Countdown:
    def __init__(self):
        self.left = 3

    def __iter__(self):
        return self

    def __next__(self):
        self.left -= 1
        return self.left


@dataclass
class Failure(Exception):
    """An exception: it holds its arguments where no attribute shows them to a subclass."""

    number: int


def local_class(rate):
    @dataclass
    class Local:
        number: int

        def period(self):
            return self.number / rate

    return Local


def renamed():
    other = type("Hall", (), {"size": 3})
    other.__module__ = __name__
    return other


def begun():
    generator = (n for n in range(3))
    next(generator)
    return generator


def without_data():
    return torch.ones(2, device="meta")


def within_itself():
    values = []
    values.append({"a": values})
    return values


def deep():
    value = []
    for _ in range(5000):
        value = [value]
    return value


REFUSED = {
    "a generator that was begun": (begun, "is a builtins.generator"),
    "an iterator": (lambda: iter([1]), "is a builtins.list_iterator"),
    "random state": (lambda: np.random.default_rng(1), "numpy.random._generator.Generator"),
    "a method with random state": (
        lambda: np.random.default_rng(1).random,
        "no value to key it by",
    ),
    "an old method with random state": (lambda: np.random.rand, "no (value|name) to key it by"),
    "PyTorch's random state": (lambda: torch.Generator(), "is a torch._C.Generator"),
    "a subclass of random state": (lambda: Drawn(), "Drawn, which has no value"),
    "a method of an object with random state": (
        lambda: Room(np.random.default_rng(1)).echo,
        "x.__self__.size is a numpy.random._generator.Generator",
    ),
    "a plain object": (object, "is a builtins.object"),
    "an iterator of an own class": (Countdown, "Countdown, which has no value"),
    "a logger": (lambda: logging.getLogger("x"), "is a logging.Logger"),
    "a pure path": (lambda: PurePosixPath("a"), "PurePosixPath, which has no value"),
    "a sparse tensor": (lambda: torch.eye(2).to_sparse(), r"tensor .*x.to_dense\(\)"),
    "a sparse row tensor": (lambda: torch.eye(2).to_sparse_csr(), r"tensor .*x.to_dense\(\)"),
    "a tensor without data": (without_data, "is a tensor that has no value"),
    "an exception with a field": (lambda: Failure(1), "builtins.BaseException may hold more"),
    "an object of a local class": (lambda: local_class(2)(1), "Local, a class that has no name"),
    "a local class": (lambda: local_class(2), "Local, which has no name"),
    "a class that took another's name": (renamed, "Hall, which has no name"),
    "a ufunc made of a function": (
        lambda: np.frompyfunc(lambda n: n, 1, 1),
        "lambda.*has no name to key it by",
    ),
    "a module made by hand": (lambda: types.ModuleType("made"), "module made .*imported"),
    "a list that holds itself": (within_itself, r"x\[0\]\['a'\] contains itself"),
    "thousands of lists": (deep, "x is nested too deeply"),
    "an attribute without a value": (lambda: with_more(Hall(1), f=begun()), "x.f is a"),
    "a slot without a value": (lambda: with_more(Slotted(), more=begun()), "x.more is a"),
}


@pytest.mark.parametrize(("make", "words"), REFUSED.values(), ids=REFUSED)
def test_a_value_with_state_that_cannot_be_seen_is_refused_by_name(make, words):
    with pytest.raises(TypeError, match=words) as refused:
        key(make())
    assert str(refused.value).startswith("x") and "0x" not in str(refused.value)


def test_a_context_variable_stands_for_its_value():
    variable = ContextVar("rate")
    unset = key(variable)
    variable.set(1)
    one = key(variable)
    variable.set(2)
    assert len({unset, one, key(variable)}) == 3


# ---- for people


class Odd:
    pass


class Filter:
    """Plain attributes, of which one is its own."""

    def __init__(self, order, inside=None):
        self.order = order
        self.inside = inside
        self._secret = "hidden"


class Estimator:
    def __init__(self, components=None, *, steps=3, seed=None, **others):
        self.components, self.steps, self.seed = components, steps, seed

    def get_params(self, deep=True):
        raise AssertionError("parameters are read from the attributes")


def nested(depth):
    return Filter(1, nested(depth - 1)) if depth else None


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"a": scaled, "b": [Hall(2), Odd()]}, "{'a': scaled, 'b': [Hall(size=2), Odd]}"),
        ({3, 1, 2}, "{1, 2, 3}"),
        (set(range(20)), "{0, 1, 10, 11, 12, 13, 14, 15, …}"),
        (Hertz(440.1), "440.1"),
        (Grade.LOW, "Grade.LOW"),
        (Hall(1).echo, "Hall(size=1).echo"),
        ({"at": Path("/home/somebody/x.wav")}, "{'at': x.wav}"),
        (np.float32(0.5), "np.float32(0.5)"),
        (np.ones((2, 3)), "ndarray float64 (2, 3)"),
        (torch.ones(2), "Tensor torch.float32 (2,)"),
        ((1, "a", None), "(1, 'a', None)"),
        (functools.partial(scaled, Odd()), "partial scaled"),
        (Odd(), "Odd"),
        (Filter("low, (pass", [2]), "Filter(inside=[2], order='low, (pass')"),
        (Estimator(2, seed=1), "Estimator(components=2, seed=1)"),
        (Estimator(), "Estimator()"),
        (
            nested(5),
            "Filter(inside=Filter(inside=Filter(inside=Filter, order=1), order=1), order=1)",
        ),
        (torch.nn.Linear(3, 4), "Linear of 16 parameters"),
    ],
)
def test_the_text_for_people_holds_no_address_and_no_path(value, text):
    assert readable(value) == text


@pytest.mark.parametrize(
    ("value", "settings"),
    [
        (
            Filter("low, (pass='", [2, (3, 4)]),
            {"inside": "[2, (3, 4)]", "order": '"low, (pass=\'"'},
        ),
        (Estimator(), {}),
        (Hall(2), {"size": "2"}),
    ],
)
def test_settings_are_found_in_the_text(value, settings):
    assert settings_in(readable(value)) == (type(value).__name__, settings)


@pytest.mark.parametrize("value", [(1, 2), np.float32(1), Odd(), "Odd(1, 2)", torch.ones(2)])
def test_there_are_no_settings_in_the_text_of_other_values(value):
    assert settings_in(readable(value)) is None
