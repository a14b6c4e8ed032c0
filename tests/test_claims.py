"""Numbers in prose are the numbers that were measured, with the checkpoint that is shipped."""

import json
from pathlib import Path

import pytest

from sparse_codec import find_checkpoint
from sparse_codec.evaluate import markdown_table

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def figures() -> dict:
    return json.loads(find_checkpoint("music").with_suffix(".json").read_text())


def test_the_figures_were_measured_with_the_shipped_checkpoint(figures, music_codec):
    assert figures["checkpoint"] == music_codec.digest
    assert figures["all"]["segments"] >= 50
    assert "brass" in figures["groups"]


def test_the_codec_beats_matching_pursuit_at_every_number_of_events(figures):
    codec, pursuit = figures["all"]["codec"], figures["all"]["matching pursuit"]
    for order in ("l2", "l1"):
        assert all(ours > theirs for ours, theirs in zip(codec[order], pursuit[order], strict=True)), order
    assert codec["l2"][-1] >= 0.80 and codec["l1"][-1] >= 0.40
    assert codec["distance"] < pursuit["distance"] < figures["all"]["silence"]["distance"]


@pytest.mark.parametrize("document", ["README.md", "sparse_codec/checkpoints/music.md"])
def test_documents_show_the_table_that_was_measured(figures, document):
    assert markdown_table(figures) in (ROOT / document).read_text()


def test_the_checkpoint_is_small_and_says_how_it_was_trained(music_codec):
    assert find_checkpoint("music").stat().st_size < 10e6
    assert music_codec.card["steps"] > 0 and music_codec.card["hours"] > 0
