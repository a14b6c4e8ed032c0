"""What large collections take, from the costs that were measured."""

import dataclasses
from pathlib import Path

import pytest

from experiments.measurements import scale
from experiments.measurements.scale import COLLECTIONS, WORKERS, Collection, Costs, encoding

COSTS = Costs(
    encode=0.5, decode=0.1, start=0.0, event_bytes=100.0, sound_bytes=1e4, dispatch=0.0,
    task_bytes=1e4,
)  # fmt: skip
SMALL = Collection("small", hours=10, files=100)


def test_the_document_shows_the_figures():
    figures = scale.FIGURES.read()
    text = (Path(__file__).parents[3] / "docs" / "scale.md").read_text()
    assert all(f"<!-- table: scale {name} -->" in text for name in scale.tables(figures))
    limits = figures["collections"]["MusicNet"]["workers until"]
    assert f"from {int(limits['one file is one task'])} workers on" in text
    assert f"keeps {figures['costs']['task_bytes'] / 1000:.0f} kB for each" in text
    assert scale.calculate(Costs(**figures["costs"])) == {"collections": figures["collections"]}


def test_one_worker_takes_the_sum_and_many_take_what_the_longest_file_takes():
    assert encoding(SMALL, COSTS, 1) == {"hours": 5.0, "busy": 1.0}
    longest = SMALL.seconds().max() * COSTS.encode / 3600
    assert encoding(SMALL, COSTS, 100)["hours"] == pytest.approx(longest, rel=0.01)


@pytest.mark.parametrize("collection", COLLECTIONS, ids=lambda collection: collection.name)
def test_more_workers_are_never_slower_nor_more_than_so_many_times_as_fast(collection):
    hours = [encoding(collection, COSTS, n)["hours"] for n in WORKERS]
    assert hours == sorted(hours, reverse=True)
    assert all(hours[0] / h <= 1.01 * n for h, n in zip(hours, WORKERS, strict=True))


def test_a_slow_scheduler_holds_workers_up():
    slow = dataclasses.replace(COSTS, dispatch=100.0)
    assert encoding(SMALL, slow, 100)["hours"] >= 100 * 100.0 / 3600


def test_files_have_the_hours_of_their_collection():
    assert SMALL.seconds().sum() == pytest.approx(36_000)
