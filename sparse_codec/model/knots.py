"""Where to bend a polyline so that it follows a curve best: knots by dynamic programming.

Shapes: T frames, D numbers of a frame.
"""

from __future__ import annotations

import numpy as np


def segment_costs(curve: np.ndarray, longest: int) -> np.ndarray:
    """Return the squared error (longest + 1, T) of a straight line between two frames of a curve
    (T, D): entry [n, i] is of that from frame i to frame i + n, infinite beyond the end.
    """
    n_frames = len(curve)
    costs = np.full((longest + 1, n_frames), np.inf)
    for length in range(1, min(longest, n_frames - 1) + 1):
        starts, ends = curve[:-length], curve[length:]
        total = np.zeros(n_frames - length)
        for step in range(1, length):
            share = step / length
            line = (1 - share) * starts + share * ends
            total += ((curve[step : step + len(starts)] - line) ** 2).sum(1)
        costs[length, : n_frames - length] = total
    return costs


class Polylines:
    """The best polylines from a curve's first frame to its last, for every number of segments."""

    def __init__(self, curve: np.ndarray, longest: int):
        """Find them for curves (T, D), with segments of at most `longest` frames."""
        n_frames, costs = len(curve), segment_costs(curve, longest)
        # the least error of a polyline that ends in a frame, by its number of segments
        self.errors = np.full((n_frames, n_frames), np.inf)
        self.back = np.zeros((n_frames, n_frames), dtype=np.int64)
        self.errors[0, 0] = 0.0
        for end in range(1, n_frames):
            lengths = np.arange(1, min(longest, end) + 1)
            reach = self.errors[end - lengths, :-1] + costs[lengths, end - lengths][:, None]
            best = reach.argmin(0)
            self.errors[end, 1:] = reach[best, np.arange(n_frames - 1)]
            self.back[end, 1:] = lengths[best]

    @property
    def fewest(self) -> int:
        """The least number of segments that reach the end."""
        return int(np.isfinite(self.errors[-1]).argmax())

    def cheapest(self, price: float) -> int:
        """Return the number of segments whose error and price add up to least."""
        return int((self.errors[-1] + price * np.arange(len(self.errors))).argmin())

    def knots(self, n_segments: int) -> np.ndarray:
        """Return the frames (n_segments + 1,) of the knots of a polyline."""
        knots = [len(self.errors) - 1]
        for left in range(n_segments, 0, -1):
            knots.append(knots[-1] - self.back[knots[-1], left])
        return np.array(knots[::-1])


NEAR = 0.5  # weight of the curve at the knots themselves, beside that of all frames between


def heights(curve: np.ndarray, knots: np.ndarray) -> np.ndarray:
    """Return heights (K, D) at knots (K,), in frames, of the polyline nearest to a curve (T, D).

    It is nearest by least squares, and stays near the curve at the knots.
    """
    frames = np.arange(knots[0], min(knots[-1] + 1, len(curve)))
    hats = np.stack([np.interp(frames, knots, hat) for hat in np.eye(len(knots))], 1)
    normal = hats.T @ hats + NEAR * np.eye(len(knots))
    return np.linalg.solve(normal, hats.T @ curve[frames] + NEAR * curve[knots])
