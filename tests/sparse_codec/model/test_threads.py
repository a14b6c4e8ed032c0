"""Denormals are flushed where the codec computes, and nowhere else."""

import threading

import numpy as np
import pytest
import torch

from sparse_codec import EncodeOptions
from sparse_codec.model.threads import denormals_flushed, flushes_denormals

FAST = EncodeOptions(n_events=1, candidates=1, interim=0, refine=0)


@pytest.fixture(autouse=True)
def _a_machine_that_flushes():
    if not torch.set_flush_denormal(False):
        pytest.skip("this processor does not flush denormals")


def test_a_block_flushes_and_gives_the_setting_back_also_after_an_error():
    small = torch.tensor([1e-39])
    with pytest.raises(ZeroDivisionError), denormals_flushed():
        assert flushes_denormals() and not (small * 1).any()
        with denormals_flushed():
            pass
        assert flushes_denormals()  # the inner block leaves the outer one's setting
        raise ZeroDivisionError
    assert not flushes_denormals() and (small * 1).any()


@pytest.mark.parametrize("method", ["spectrograms", "sound", "sound_and_spectrograms", "render"])
def test_the_codec_computes_with_flushed_denormals_in_every_thread(
    small_codec, tone, method, monkeypatch
):
    seen, plain = [], getattr(small_codec.decoder, method)

    def observed(*args):
        seen.append(flushes_denormals())
        return plain(*args)

    def work():
        events = small_codec.encode_segment(tone, FAST)
        small_codec.decode(events)
        list(small_codec.render(events))
        list(small_codec.render_stages(events))
        seen.append(not flushes_denormals())

    monkeypatch.setattr(small_codec.decoder, method, observed)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert len(seen) > 1 and all(seen)


def test_between_two_events_the_setting_is_the_callers(small_codec, tone):
    events = small_codec.encode_segment(tone, FAST)
    for sound in small_codec.render(events):
        assert np.isfinite(sound).all() and not flushes_denormals()
