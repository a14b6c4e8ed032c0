"""Events inside the codec: four columns of tensors, from the encoder's candidates to the decoder.

The columns have one order everywhere: vectors, frames, offsets, gains. For the events of one clip
as NumPy arrays there is `sparse_codec.events.EventSet`; the two are made from each other here.

Shapes: B segments, N events, E events in one row, V vector size.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor

from sparse_codec.events import EventSet

Index: TypeAlias = "int | slice | Tensor | list[int] | tuple[int | slice | Tensor, ...]"


@dataclass(frozen=True)
class Events:
    """N events of each of B segments. An event whose gain is 0 is no event.

    `events[index]` picks the same entries of all columns, and `events[index] = others` writes them
    in place, as with a tensor (B, N).
    """

    vectors: Tensor  # (B, N, V) in [-1, 1], what each event sounds like
    frames: Tensor  # (B, N) int64, the frame that each starts in
    offsets: Tensor  # (B, N) the rest of the time, in frames
    gains: Tensor  # (B, N), not negative

    @classmethod
    def zeros(cls, batch: int, n_events: int, vector_size: int, device: torch.device) -> Events:
        """Return room for events, each with gain 0."""
        return cls(
            vectors=torch.zeros(batch, n_events, vector_size, device=device),
            frames=torch.zeros(batch, n_events, dtype=torch.long, device=device),
            offsets=torch.zeros(batch, n_events, device=device),
            gains=torch.zeros(batch, n_events, device=device),
        )

    @classmethod
    def of(cls, event_set: EventSet, device: torch.device) -> Events:
        """Return the events of a clip as those of a single segment."""
        arrays = (event_set.vectors, event_set.frames, event_set.offsets, event_set.gains)
        return cls(*(torch.from_numpy(array)[None].to(device) for array in arrays))

    @classmethod
    def cat(cls, batches: Sequence[Events]) -> Events:
        """Return the segments of several batches as one batch."""
        return cls(
            *(
                torch.cat(columns)
                for columns in zip(*(batch.columns for batch in batches), strict=True)
            )
        )

    @property
    def columns(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        return self.vectors, self.frames, self.offsets, self.gains

    def __getitem__(self, index: Index) -> Events:
        return self._map(lambda column: column[index])

    def __setitem__(self, index: Index, others: Events) -> None:
        for column, other in zip(self.columns, others.columns, strict=True):
            column[index] = other

    def flatten(self) -> Events:
        """Return the events of all segments in one row: columns (E, V) and (E,)."""
        return self._map(lambda column: column.flatten(0, 1))

    def event_set(self, n_samples: int, samplerate: int, hop: int, first_frame: int) -> EventSet:
        """Return the events of the only segment, whose first frame is `first_frame` of the clip.

        Events without gain are left out.
        """
        events = self[0, self.gains[0] > 0]._map(Tensor.cpu)
        return EventSet(
            vectors=events.vectors.numpy(),
            frames=events.frames.numpy() + first_frame,
            offsets=events.offsets.numpy(),
            gains=events.gains.numpy(),
            n_samples=n_samples,
            samplerate=samplerate,
            hop=hop,
        )

    def _map(self, change: Callable[[Tensor], Tensor]) -> Events:
        return Events(*map(change, self.columns))
