"""What was made fast stays fast: the short form of the benchmarks, with a bar for each.

Both ways run in turn in one process and CPU seconds are compared, so that a slow or busy machine
changes nothing. The bars are some way below what `docs/speed.md` has, for machines that differ.
"""

import dataclasses
import functools
import statistics

import pytest
import torch

from benchmarks import decode_time, encode_time
from benchmarks.pairs import interleaved
from benchmarks.plain_encode import plain_codec, plain_decompose
from benchmarks.plain_sound import plain_decode
from sparse_codec import SparseCodec

pytestmark = pytest.mark.slow
N_EVENTS = 12


def ratio(plain, fast) -> float:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return statistics.median(pair.ratio for pair in interleaved(plain, fast, 3))
    finally:
        torch.set_num_threads(threads)


@pytest.mark.parametrize(("name", "bar"), [("music", 3.0), ("speech-harmonic", 2.5)])
def test_encoding_is_faster_than_the_plainest_form(name, bar):
    codec, plain = SparseCodec.load(name), plain_codec(name)
    for each in (codec, plain):
        each.config = dataclasses.replace(each.config, n_events=N_EVENTS)
    original = encode_time.segments(codec, name)[0]
    plainly = functools.partial(plain_decompose, plain, original)
    assert ratio(plainly, functools.partial(codec.decompose, original)) > bar


@pytest.mark.parametrize("consistent", [True, False])
@pytest.mark.parametrize("name", decode_time.CHECKPOINTS)
def test_decoding_is_faster_than_the_plainest_form(name, consistent):
    codec = SparseCodec.load(name)
    events = decode_time.random_events(codec)
    plainly = functools.partial(plain_decode, codec, events)
    assert ratio(plainly, functools.partial(codec.decode, events, consistent)) > 2
