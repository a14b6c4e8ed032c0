"""Functions that return several media, and arrays and weights as artifacts."""

import json

import numpy as np
import pytest
import torch

from report import Array, Data, FolderStore, MemoryStore, Sound, Weights, build, conjure, use_store
from report.artifacts.media import decode, encode
from report.artifacts.session import Session, use_session
from report.errors import StoreError
from report.keys.dependencies import code_of
from report.site.plan import plan
from report.site.reproduce import compare, reproduce
from report.site.states import DIFFERENT, NEAR, SAME_BYTES


@conjure
def split(n: int) -> tuple[Sound, Array]:
    samples = np.linspace(-0.5, 0.5, n)
    return Sound(samples, 8000), Array(samples)


@conjure
def named(names: tuple[str, ...]) -> dict[str, Data]:
    return {name: Data(name) for name in names}


@conjure
def summed(array) -> Data:
    return Data(float(array.value.sum()))


def test_each_of_several_results_is_an_artifact_that_is_found_again(tmp_path):
    for computed in (2, 0):
        with use_store(FolderStore(tmp_path)) as session:
            session.begin("article")
            sound, array = split(9)
            parts = named(("low", "high"))
            assert sound.media_type == "audio/flac" and array.value.dtype == np.float64
            assert list(parts) == ["low", "high"] and parts["high"].value == "high"
            assert session.computed == computed
            names = [name for name, _ in session.finish().calls]
    assert names == [
        "split/1", "split/1/1", "split/1/2", "named/1", "named/1/low", "named/1/high",
    ]  # fmt: skip


def test_a_result_of_several_is_an_argument_by_its_bytes():
    with use_store(MemoryStore()) as session:
        _, array = split(9)
        assert summed(array).value == 0.0 and summed(array).record.inputs == [array.sha256]
        assert session.computed == 2


def test_a_member_that_is_damaged_is_healed_by_the_advice(tmp_path):
    with use_store(FolderStore(tmp_path)):
        record = split(9)[1].record
    damaged = tmp_path / "objects" / record.sha256[:2] / record.name
    damaged.write_bytes(b"")
    with use_store(FolderStore(tmp_path)), pytest.raises(StoreError, match="--force") as error:
        _ = split(9)[1].value
    name = str(error.value).split("--force ")[1].split()[0]
    for pattern in (name, "split/1/2"):
        damaged.write_bytes(b"")
        with use_session(Session(FolderStore(tmp_path), force=(pattern,))) as forced:
            assert split(9)[1].value.shape == (9,) and forced.computed == 1


@conjure
def unsaid(n: int):
    return Data(n), Data(n)


@conjure
def too_few() -> tuple[Data, Data]:
    return (Data(1),)


@conjure
def other_kind() -> dict[str, Sound]:
    return {"a": Data(1)}


@conjure
def bad_name() -> dict[str, Data]:
    return {"../a": Data(1)}


class Estimator:
    def get_params(self):
        return {}


@conjure
def estimator() -> Sound:
    return Estimator()


@conjure
def nothing():
    pass


@conjure
def texts() -> list[Data]:
    return ["a"]


@conjure
def as_list(n: int) -> tuple[Data, ...]:
    return [Data(i) for i in range(n)]


@conjure
def said_list(n: int) -> list[Data]:
    return [Data(i) for i in range(n)]


@pytest.mark.parametrize("call", [as_list, said_list])
def test_a_list_of_media_is_as_good_as_a_tuple(call):
    with use_store(MemoryStore()):
        assert [each.value for each in call(3)] == [0, 1, 2] and call(0) == ()


@conjure
def alone() -> tuple[Data, Data]:
    return Data(1)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: unsaid(1), r"unsaid returned a tuple; annotate it, as in `-> tuple\[Sound"),
        (too_few, "too_few returned 1 media; it says 2"),
        (other_kind, "other_kind as a returned Data; it has to return Sound"),
        (bad_name, r"the key '../a'; use letters"),
        (estimator, r"returned Estimator; it has .* Sound; an estimator is .* Array\(model.comp"),
        (nothing, "nothing returned NoneType; .* or a tuple or dict of them; does it lack"),
        (texts, r"texts as 1 returned str; it has to return Data; return Data\(value\)"),
        (alone, "alone returned Data; it has to return a tuple of media"),
    ],
)
def test_results_that_are_not_as_the_function_says_are_refused_by_name(call, words):
    with use_store(MemoryStore()), pytest.raises(TypeError, match=words):
        call()


ARTICLE = '''"""Two of everything"""
import numpy as np
from report import Array, Data, Sound, conjure

@conjure
def split(n: int) -> tuple[Sound, Array]:
    return Sound(np.linspace(-0.5, 0.5, n), 8000), Array(np.arange(n))

@conjure
def named(n: int) -> dict[str, Data]:
    return {"a": Data(n), "b": Data(2)}

@conjure
def last(array) -> Data:
    return Data(int(array.value[-1]))

# %%
sound, numbers = split(100)
parts = named(3)
[sound, numbers, parts["a"], last(numbers)]
'''


def test_an_article_with_several_results_is_planned_built_and_reproduced(tmp_path):
    script, store = tmp_path / "two.py", FolderStore(tmp_path / "store")
    script.write_text(ARTICLE)
    assert plan([script], store).unknown == [
        "two: what follows from named/1 is known once that is computed"
    ]
    build([script], tmp_path / "site", store, jobs=2)
    manifest = json.loads((tmp_path / "site" / "manifest.json").read_text())
    assert set(manifest["artifacts"]) == {
        "two/split/1", "two/split/1/1", "two/split/1/2", "two/named/1", "two/named/1/a",
        "two/named/1/b", "two/last/1",
    }  # fmt: skip
    assert "Split: 100, int64" in (tmp_path / "site" / "two.html").read_text()
    assert {step.state for step in plan([script], store).steps} == {"found"}
    verdicts = reproduce([script], store, ("split/1/2", "named")).verdicts
    assert [(verdict.name, verdict.verdict) for verdict in verdicts] == [
        ("two/split/1/2", SAME_BYTES),
        ("two/named/1/a", SAME_BYTES),
        ("two/named/1/b", SAME_BYTES),
    ]
    script.write_text(ARTICLE.replace("np.arange(n)", "np.arange(n) * 2"))
    planned = plan([script], store)
    assert [step.state for step in planned.steps] == ["stale", "found", "waits"]
    assert planned.unknown == [] and planned.gone == []


# ---- arrays and weights


@pytest.mark.parametrize(
    "values",
    [
        np.arange(6.0).reshape(2, 3).T,
        np.float32(1.5),
        np.zeros((0, 3), np.int16),
        np.array([1 + 2j, np.nan]),
        np.array(["a", "üb"]),
        np.array([(1, 2.0)], [("a", "i4"), ("b", "f8")]),
    ],
)
def test_an_array_comes_back_exactly(values):
    encoded = encode(Array(values))
    again = decode(encoded.data, encoded.media_type).values
    np.testing.assert_array_equal(again, values)
    assert again.dtype == values.dtype and again.shape == np.shape(values)
    assert encoded.info == {"dtype": str(values.dtype), "shape": list(values.shape)}
    assert encode(Array(again)).data == encoded.data and not again.flags.writeable


def test_weights_come_back_as_they_were_and_load_into_a_model():
    torch.manual_seed(0)
    model, other = torch.nn.Linear(3, 2), torch.nn.Linear(3, 2)
    encoded = encode(Weights(model.state_dict()))
    other.load_state_dict(decode(encoded.data, encoded.media_type).tensors)
    assert torch.equal(other.weight, model.weight) and torch.equal(other.bias, model.bias)
    assert encoded.info == {"tensors": 2, "numbers": 8}
    tied = {"a": model.weight, "b": model.weight, "half": model.bias.bfloat16()}
    assert encode(Weights(tied)) == encode(Weights(dict(reversed(tied.items()))))
    arrays = {"w": np.arange(4.0).reshape(2, 2).T}
    encoded = encode(Weights(arrays))
    again = decode(encoded.data, encoded.media_type).tensors["w"]
    np.testing.assert_array_equal(again, arrays["w"])


@pytest.mark.parametrize(
    ("media", "words"),
    [
        (Array([object()]), "Python objects can not be stored"),
        (Weights(torch.nn.Linear(1, 1)), r"a Linear; give its state_dict\(\)"),
        (Weights([1]), "a list; give a dict of arrays"),
        (Weights(Estimator()), "a Estimator; give the arrays that it was fitted to"),
        (Weights({"a": torch.eye(2).to_sparse()}), "'a', which is no dense tensor"),
        (Weights({"a": np.array(["x"])}), "can not be stored, use numbers: Unknown"),
    ],
)
def test_what_no_file_can_hold_is_refused(media, words):
    with pytest.raises(ValueError, match=words):
        encode(media)


@pytest.mark.parametrize(
    ("one", "near"),
    [
        (Array(np.ones(4)), Array(np.ones(4) + 1e-6)),
        (Array(np.ones(4) * 1j), Array(np.ones(4) * 1j + 1e-6)),
        (Weights({"a": torch.ones(4)}), Weights({"a": torch.ones(4) + 1e-6})),
    ],
)
def test_arrays_and_weights_that_were_computed_again_are_compared_by_their_numbers(one, near):
    one, near = encode(one), encode(near)
    assert compare(one.data, near.data, one.media_type)[0] == NEAR
    other = encode(Array(np.ones(5)))
    assert compare(encode(Array(np.ones(4))).data, other.data, other.media_type)[0] == DIFFERENT


@conjure
def quoted(n: int) -> "dict[str, Array]":
    return {"a": Array(n)}


def test_the_annotation_decides_which_encoders_are_part_of_the_key():
    def encoders(function):
        symbols = code_of(function.__wrapped__).symbols
        return {name.rpartition(".")[2] for name in symbols if "media.encode" in name}

    assert encoders(split) == {"encode_sound", "encode_array"}
    assert encoders(quoted) == {"encode_array"}
    assert "encode_film" in encoders(unsaid)
