"""Messages of commands: sizes of event sets, and lines about the files that were written."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from sparse_codec.audio.files import SampleCounts
from sparse_codec.coding.channels import Window, channels_of
from sparse_codec.outputs import STREAM

PCM_BYTES = 2  # of a 16-bit sample


@dataclass
class Tally:
    """Numbers of events, samples and channels in windows that follow each other."""

    n_events: int = 0
    n_samples: int = 0
    n_channels: int = 0

    def add(self, window: Window) -> None:
        """Count the next window."""
        channels = channels_of(window)
        self.n_events += sum(map(len, channels))
        self.n_samples, self.n_channels = channels[0].n_samples, len(channels)

    def facts(self, samplerate: int, n_bytes: int | None = None) -> dict[str, float]:
        """Return figures for people, of which some need the size of the file in bytes.

        The ratio is that of 16-bit samples, at the codec's samplerate, to the file.
        """
        length = self.n_samples / samplerate
        facts = {"seconds": length, "events": self.n_events}
        if n_bytes is None:
            return facts
        ratio = PCM_BYTES * self.n_channels * self.n_samples / n_bytes
        return {**facts, "bytes": n_bytes, "bits_per_second": 8 * n_bytes / length, "ratio": ratio}


def say(target: str, message: str) -> None:
    """Print a message about a file, on standard error if the file itself is standard output."""
    if target == STREAM:
        print(f"standard output: {message}", file=sys.stderr)
    else:
        print(f"{target}: {message}", flush=True)


def clipping(counts: SampleCounts | None) -> str:
    """Return the end of a message about samples over full scale, or "" if there are none."""
    if counts is None or not counts.n_clipped:
        return ""
    return (
        f"; {counts.n_clipped} samples were over full scale and are clipped:"
        " lower the events' gains"
    )
