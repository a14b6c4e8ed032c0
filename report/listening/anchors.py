"""Anchors of a listening test: the reference through a low-pass, as ITU-R BS.1534-3 asks for."""

import numpy as np

from report.artifacts.media import Sound
from report.artifacts.session import Artifact, conjure

TRANSITION = 500  # Hz from the end of the pass band to the stop band
# dB. The recommendation asks for 25 half way and for 50 at the end; ripples are below 0.02 then.
ATTENUATION = 60.0


def lowest_rate(cutoff: int) -> int:
    """Return the samplerate, Hz, below which a sound has nothing that an anchor takes away."""
    return 2 * (cutoff + TRANSITION)


@conjure
def low_passed(sound: Artifact, cutoff: int) -> Sound:
    """Return a sound without what lies above `cutoff` Hz, as long as before and not delayed.

    The filter has linear phase. Where a sound would pass full scale, it is made quieter as a whole.
    """
    from scipy import signal  # takes long to import

    samples, rate = sound.value.samples, sound.value.samplerate
    if samples.dtype == np.int16:
        samples = samples / 32768
    length, beta = signal.kaiserord(ATTENUATION, 2 * TRANSITION / rate)
    length += 1 - length % 2  # odd, so that the middle is a sample
    taps = signal.firwin(length, cutoff + TRANSITION / 2, window=("kaiser", beta), fs=rate)
    shape = (-1,) + (1,) * (samples.ndim - 1)
    passed = signal.oaconvolve(samples, taps.reshape(shape), mode="same", axes=0)
    return Sound(passed / max(1.0, 1.0001 * float(np.abs(passed).max(initial=0.0))), rate)
