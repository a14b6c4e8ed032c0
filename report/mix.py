"""The one sum that turns stored events into a reconstruction.

A reconstruction is not *like* this sum, it is *defined* as it: integers, in a fixed order, with one
rounding rule and one clip. No floating point takes part. A browser that adds the same stored events
gets the same bytes, so anyone can check the published hash.
"""

from collections.abc import Sequence

import numpy as np

UNITY = 4096  # the gain that changes nothing: gains are fixed-point with 12 bits after the point


def mix(
    sounds: Sequence[np.ndarray], starts: Sequence[int], gains: Sequence[int], length: int
) -> np.ndarray:
    """The sum of `sounds`, each at sample starts[i] and scaled by gains[i] / UNITY.

    Products are added in 64 bits, in the order given. Then (x + 2048) >> 12 rounds once to the
    nearest integer (halves upwards), and one clip makes 16 bits of the sum. Samples before 0 or
    after `length` are cut.

    Args: sounds are int16 (T_i,), or all of them (T_i, 2) for left and right.
    Returns: int16 (length,) or (length, 2); (length,) if there are no sounds.
    Raises: ValueError for lists of unequal length, or sounds that are of another kind, or not all
    of one number of channels.
    """
    if not len(sounds) == len(starts) == len(gains):
        raise ValueError(
            f"{len(sounds)} sounds, {len(starts)} starts, {len(gains)} gains; "
            "give one of each per event"
        )
    channels = sounds[0].shape[1:] if sounds else ()
    total = np.zeros((length, *channels), np.int64)
    for sound, start, gain in zip(sounds, starts, gains, strict=True):
        if sound.dtype != np.int16 or sound.ndim not in (1, 2) or sound.shape[1:] != channels:
            raise ValueError(
                f"a sound to mix is int16 {('T', *channels)}, not {sound.dtype} {sound.shape}"
            )
        first, last = max(0, start), min(length, start + len(sound))
        if first < last:
            total[first:last] += sound[first - start : last - start].astype(np.int64) * int(gain)
    total += UNITY // 2  # in place, to save memory: the sum may be hours long
    total >>= 12
    return np.clip(total, -32768, 32767, out=total).astype(np.int16)
