"""Left and right: shared events where that pays."""

import numpy as np
import pytest

from sparse_codec import EncodeOptions
from sparse_codec.events import join
from sparse_codec.stereo import encode_stereo

QUICK = EncodeOptions(candidates=3, interim=0, refine=0)


def encoded(codec, blocks):
    return list(encode_stereo(codec, blocks, QUICK))


def shares(pair) -> bool:
    left, right = pair
    return len(left) == len(right) and np.array_equal(left.vectors, right.vectors)


def test_the_same_sound_at_two_levels_is_shared_with_a_gain_for_each_channel(small_codec, tone):
    pairs = encoded(small_codec, [np.stack([tone, 0.25 * tone], 1)])
    assert all(shares(pair) for pair in pairs)
    left, right = pairs[0]
    np.testing.assert_allclose(right.gains, 0.25 * left.gains, rtol=0.02)
    np.testing.assert_array_equal(left.onsets, right.onsets)


def test_events_that_pay_are_looked_for_once_for_both_channels(small_codec, tone, monkeypatch):
    searches = []
    decompose = small_codec.decompose
    monkeypatch.setattr(
        small_codec, "decompose", lambda *args: searches.append(1) or decompose(*args)
    )
    pairs = encoded(small_codec, [np.stack([tone, 0.25 * tone], 1)])
    assert len(searches) == len(pairs)


def test_what_sounds_on_in_the_next_window_is_not_found_again(small_codec, music):
    """With equal channels the second window has the events that it has in mono."""
    audio = music[:50_000]
    _, second, *_ = encoded(small_codec, [np.stack([audio, audio], 1)])
    _, mono, *_ = small_codec.stream([audio], QUICK)
    np.testing.assert_array_equal(second[0].frames, mono.frames)
    np.testing.assert_allclose(second[0].gains, mono.gains, rtol=0.02)


def test_shared_events_are_the_mono_ones_when_the_channels_are_equal(small_codec, tone):
    pairs = encoded(small_codec, [np.stack([tone, tone], 1)])
    mono = join(list(small_codec.stream([tone], QUICK)))
    left, right = (join(list(channel)) for channel in zip(*pairs, strict=True))
    for channel in (left, right):
        np.testing.assert_allclose(channel.vectors, mono.vectors, atol=1e-4)
        np.testing.assert_allclose(channel.gains, mono.gains, rtol=1e-2)
        assert channel.n_samples == mono.n_samples == len(tone)


def test_opposite_phases_do_not_cancel(small_codec, tone):
    """The mid is the mean of magnitudes; a mean of samples would lose this sound."""
    ((left, right), *_) = encoded(small_codec, [np.stack([tone, -tone], 1)])
    assert len(left) and right.gains.max() > 0


def test_channels_with_nothing_in_common_have_their_own_events(small_codec, tone, music):
    other = music[: len(tone)]
    pairs = encoded(small_codec, [np.stack([tone, other], 1)])
    assert not shares(pairs[0])
    alone = next(small_codec.stream([other], QUICK))
    # no window before it, so no tail either
    np.testing.assert_array_equal(pairs[0][1].vectors, alone.vectors)


def test_how_the_blocks_are_cut_changes_nothing(small_codec, tone, music):
    audio = np.stack([np.tile(tone, 2), music[: 2 * len(tone)]], 1)
    whole = encoded(small_codec, [audio])
    parts = encoded(small_codec, np.split(audio, [1, 700, 20_000, 20_000, 50_001]))
    assert len(whole) == len(parts) == 4
    for one, other in zip(whole, parts, strict=True):
        assert [channel.to_json() for channel in one] == [channel.to_json() for channel in other]


def test_silence_in_one_channel_stays_silent(small_codec, tone):
    pairs = encoded(small_codec, [np.stack([tone, np.zeros_like(tone)], 1)])
    left, right = (join(list(channel)) for channel in zip(*pairs, strict=True))
    assert small_codec.decode(left).any() and not small_codec.decode(right).any()


@pytest.mark.parametrize("shape", [(100,), (100, 1), (100, 3)])
def test_other_numbers_of_channels_are_refused(small_codec, shape):
    with pytest.raises(ValueError, match="stereo has samples"):
        encoded(small_codec, [np.zeros(shape, np.float32)])
