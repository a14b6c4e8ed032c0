"""A codec whose weights are loaded when they are needed is that codec."""

import pickle
import subprocess
import sys

import numpy as np
import pytest

from experiments.lazy_codec import LazyCodec, open_codec
from report.keys.values import Walk, identity
from sparse_codec import SparseCodec
from sparse_codec.checkpoint import CheckpointError


@pytest.fixture
def file(small_codec, tmp_path):
    small_codec.save(tmp_path / "small.safetensors")
    return tmp_path / "small.safetensors"


def test_its_facts_are_those_of_the_codec(file):
    lazy, codec = LazyCodec(file), SparseCodec.load(file)
    for name in ("config", "card", "digest", "samplerate"):
        assert getattr(lazy, name) == getattr(codec, name)
    assert lazy.device == str(codec.device)
    assert lazy.n_parameters == sum(p.numel() for p in codec.parameters())
    assert lazy._codec is None
    assert lazy.load() is lazy.load()


def test_all_else_is_done_by_the_codec(file, music):
    lazy, codec = open_codec(file), SparseCodec.load(file)
    events = codec.encode(music[:1000])
    np.testing.assert_array_equal(lazy.decode(events), codec.decode(events))
    with pytest.raises(AttributeError, match="nonsense"):
        _ = lazy.nonsense


def test_its_key_needs_no_weights():
    code = (
        "import sys; from experiments.lazy_codec import open_codec;"
        "from report.keys.values import Walk, identity;"
        "print(identity(open_codec('music'), 'codec', Walk())); print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    key, loaded = done.stdout.splitlines()
    walk, lazy = Walk(), LazyCodec("music")
    lazy.load()
    assert key == str(identity(lazy, "codec", walk)) and loaded == "False"
    assert walk.devices == [["codec", "cpu"]]


def test_another_process_gets_the_weights(file, music):
    lazy = LazyCodec(file)
    data = pickle.dumps(lazy)
    file.unlink()
    received = pickle.loads(data)
    assert received.digest == lazy.digest and received.encode(music[:1000]).n_samples == 1000


def test_a_file_that_changed_meanwhile_is_refused(file, small_codec):
    lazy = LazyCodec(file)
    small_codec.save(file, card={"other": 1})
    with pytest.raises(CheckpointError, match="small.safetensors: changed while it was in use"):
        lazy.load()
