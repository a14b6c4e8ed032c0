"""Calculate what large collections of sound take, from costs that are measured here.

    python -m experiments.measurements.scale

The figures go to `scale.json` beside this file; `docs/scale.md` shows them. Prices and the rate of
a bucket are assumptions, see ASSUMED.
"""

from __future__ import annotations

import heapq
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch

from experiments.clips import shipped_clips
from experiments.measurements.command_line import measurement_parser
from experiments.stored_figures import FigureFile, Figures
from sparse_codec import EventSet, SparseCodec, write_events
from sparse_codec.audio.files import duration
from sparse_codec.coding.formats import load_priors
from sparse_codec.events import join

FIGURES = FigureFile.beside(__file__)
WORKERS = (1, 2, 8, 32, 128, 512)
TASKS = 2000  # that do nothing, to measure a scheduler
# Not measured: prices of large providers in round numbers, and what one bucket gives to one reader.
ASSUMED = {
    "dollars a core hour": 0.04,
    "dollars a GB and month": 0.023,
    "dollars a million reads": 0.4,
    "dollars a million writes": 5.0,
    "reads a second of one prefix": 5500.0,
    "GB of a scheduler's machine": 64.0,
}


@dataclass(frozen=True)
class Costs:
    """Costs on one core of the machine that measured them."""

    encode: float  # CPU seconds for a second of sound
    decode: float
    start: float  # CPU seconds until a worker has its model
    event_bytes: float  # of .events files, for a second of sound
    sound_bytes: float  # of FLAC files, for a second of sound
    dispatch: float  # seconds that a scheduler takes for a task
    task_bytes: float  # of memory of a scheduler and its client, for a task


@dataclass(frozen=True)
class Collection:
    """A collection of sound."""

    name: str
    hours: float
    files: int

    def seconds(self, most: int = 100_000) -> np.ndarray:
        """Return lengths of files, log-normal as recordings are; of many files a sample."""
        n = min(self.files, most)
        lengths = np.random.default_rng(0).lognormal(0, 0.6, n)
        return lengths * (3600 * self.hours / self.files) / lengths.mean()


COLLECTIONS = (
    Collection("MusicNet", 34, 330),
    Collection("a million hours", 1_000_000, 15_000_000),
)


def main(argv: list[str] | None = None) -> int:
    """Measure costs and calculate. Returns: the exit code."""
    args = measurement_parser(FIGURES, __doc__).parse_args(argv)
    torch.set_num_threads(1)
    codec = SparseCodec.load("music")
    costs = measure(codec)
    figures: Figures = {
        "checkpoint": codec.digest,
        "costs": {name: float(f"{value:.3g}") for name, value in asdict(costs).items()},
        "assumed": ASSUMED,
    }
    figures |= calculate(Costs(**figures["costs"]))
    replace(FIGURES, path=args.out).write(figures)
    print("\n\n".join(tables(figures).values()))
    return 0


# ---- measure


def measure(codec: SparseCodec) -> Costs:
    """Measure on the first shipped clip of music."""
    clip = shipped_clips()[0][0]
    audio = clip.audio(codec.samplerate)
    seconds = len(audio) / codec.samplerate
    started = time.process_time()
    windows = list(codec.stream([audio]))
    encoded = time.process_time()
    codec.decode(join(windows))
    decoded = time.process_time()
    dispatch, task_bytes = _measure_scheduler()
    return Costs(
        encode=(encoded - started) / seconds,
        decode=(decoded - encoded) / seconds,
        start=_start_seconds(),
        event_bytes=_event_bytes(join(windows), codec) / seconds,
        sound_bytes=clip.path.stat().st_size / duration(clip.path),
        dispatch=dispatch,
        task_bytes=task_bytes,
    )


def _event_bytes(events: EventSet, codec: SparseCodec) -> int:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "clip.events")
        write_events(path, events, codec, load_priors("music"))
        return path.stat().st_size


def _start_seconds() -> float:
    code = "from sparse_codec import SparseCodec; SparseCodec.load('music')"
    before = os.times()
    subprocess.run([sys.executable, "-c", code], check=True)
    after = os.times()
    return sum(after[2:4]) - sum(before[2:4])  # CPU seconds of child processes


def _measure_scheduler() -> tuple[float, float]:
    """Return CPU seconds and bytes that a Dask scheduler takes for a task that does nothing.

    The scheduler is in this process, with the client; the worker has one of its own.
    """
    from distributed import Client, LocalCluster, wait

    workers = {"n_workers": 1, "threads_per_worker": 1}
    with LocalCluster(dashboard_address=None, **workers) as cluster, Client(cluster) as client:
        client.submit(os.getpid, pure=False).result()
        memory, started = _resident(), time.process_time()
        futures = [client.submit(abs, number, pure=False) for number in range(TASKS)]
        wait(futures)
        return (time.process_time() - started) / TASKS, (_resident() - memory) / TASKS


def _resident() -> int:
    """Return the bytes of memory of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


# ---- calculate


def calculate(costs: Costs) -> Figures:
    """Return hours by collection and number of workers, and totals that do not depend on that."""
    return {
        "collections": {
            collection.name: {
                **asdict(collection),
                "workers": {str(n): encoding(collection, costs, n) for n in WORKERS},
                **totals(collection, costs),
            }
            for collection in COLLECTIONS
        }
    }


def encoding(collection: Collection, costs: Costs, n_workers: int) -> Figures:
    """Simulate the encoding of a collection, a task for each file.

    Tasks are handed out one after the other by one scheduler, in order. Returns: hours until all
    are done, and the share of that time in which workers work.
    """
    lengths = collection.seconds()
    repeated = collection.files / len(lengths)  # the sample stands for so many times its files
    free = [costs.start] * n_workers
    handed_out = 0.0
    for length in lengths:
        handed_out += costs.dispatch
        begin = max(heapq.heappop(free), handed_out)
        heapq.heappush(free, begin + length * costs.encode)
    # The end, when workers wait for the longest files, comes only once.
    work = float(lengths.sum()) * costs.encode
    steady = max(work / n_workers, len(lengths) * costs.dispatch)
    seconds = steady * (repeated - 1) + max(free)
    return {
        "hours": float(f"{seconds / 3600:.3g}"),
        "busy": round(work * repeated / (seconds * n_workers), 2),
    }


def totals(collection: Collection, costs: Costs) -> Figures:
    """Return core hours, GB and dollars, and how many workers each part can keep busy."""
    seconds, files = 3600 * collection.hours, collection.files
    core_hours = collection.hours * costs.encode
    events, sound = (seconds * size / 1e9 for size in (costs.event_bytes, costs.sound_bytes))
    price = ASSUMED["dollars a million reads"] + 2 * ASSUMED["dollars a million writes"]
    dollars = {
        "cores": core_hours * ASSUMED["dollars a core hour"],
        "requests": files / 1e6 * price,
        "a month of events": events * ASSUMED["dollars a GB and month"],
        "a month of sound": sound * ASSUMED["dollars a GB and month"],
    }
    task = seconds / files * costs.encode
    limits = {
        "one file is one task": seconds / float(collection.seconds().max()),
        "the scheduler's pace": task / costs.dispatch,
        "reads of one prefix": task * ASSUMED["reads a second of one prefix"],
    }
    return {
        "core hours": float(f"{core_hours:.3g}"),
        "GB of events": float(f"{events:.3g}"),
        "GB of sound": float(f"{sound:.3g}"),
        "GB of scheduler": float(f"{files * costs.task_bytes / 1e9:.3g}"),
        "requests": 3 * files,
        "dollars": {name: float(f"{value:.3g}") for name, value in dollars.items()},
        "workers until": {name: float(f"{value:.3g}") for name, value in limits.items()},
    }


# ---- show

COST_NAMES = {  # what each is of, and its unit
    "encode": "to encode a second of music, CPU seconds",
    "decode": "to decode it, CPU seconds",
    "event_bytes": "a second of music as events, bytes",
    "sound_bytes": "the same as FLAC, bytes",
    "start": "until a worker has its model, CPU seconds",
    "dispatch": "for the scheduler and its client to hand out a task, CPU seconds",
    "task_bytes": "for them to keep a task, bytes",
}


def tables(figures: Figures) -> dict[str, str]:
    """Return Markdown by name: costs, hours by workers, what a collection takes, and the workers
    that it keeps busy.
    """
    collections = figures["collections"]
    names = list(collections)
    costs = [[text, f"{figures['costs'][key]:,g}"] for key, text in COST_NAMES.items()]
    hours = [
        [n, *(f"{x['hours']:,g} h ({x['busy']:.0%} busy)" for x in _by_workers(collections, n))]
        for n in map(str, WORKERS)
    ]
    kinds = ("core hours", "GB of sound", "GB of events", "GB of scheduler", "requests")
    sizes = [[kind, *(f"{collections[name][kind]:,g}" for name in names)] for kind in kinds]
    for kind in collections[names[0]]["dollars"]:
        sizes.append(
            [f"dollars: {kind}", *(f"{collections[name]['dollars'][kind]:,g}" for name in names)]
        )
    limits = [
        [kind, *(f"{collections[name]['workers until'][kind]:,g}" for name in names)]
        for kind in collections[names[0]]["workers until"]
    ]
    return {
        "costs": _table(["what it takes", "measured"], costs),
        "workers": _table(["workers", *names], hours),
        "totals": _table(["to encode it once", *names], sizes),
        "limits": _table(["no faster with more workers than", *names], limits),
    }


def _by_workers(collections: Figures, n: str) -> list[Figures]:
    return [collection["workers"][n] for collection in collections.values()]


def _table(headers: list[str], rows: list[list[str]]) -> str:
    lines = [headers, ["---"] * len(headers), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


if __name__ == "__main__":
    sys.exit(main())
