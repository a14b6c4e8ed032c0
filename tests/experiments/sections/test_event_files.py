"""The section on files of events shows figures of this checkpoint only."""

import pytest

from experiments.sections import event_files
from experiments.stored_figures import FigureFile
from report import Image, MemoryStore, Prose, Table, use_store
from sparse_codec.coding.event_file import SCALE

METHODS = {
    "codec": {"bits_per_second": 11_700, "log_mel": 3.0, "opinion": 3.62},
    "matching pursuit, 128": {"log_mel": 10.7, "opinion": 2.2},
    "Opus, 6 kb/s": {"bits_per_second": 7380, "log_mel": 14.1, "opinion": 1.9},
    "MP3, lowest": {"bits_per_second": 8087, "log_mel": 20.5},
    "silence": {"log_mel": 46.1},
}


def measured(codec) -> dict:
    """Figures as `experiments.measurements.rate_distortion` writes them."""
    shares = {
        "l2": 0.9,
        "l1": 0.6,
        "l2_loss": 0.0012,
        "l1_loss": 0.0123,
        "log_mel": 5.2,
        "mode": "quantised",
    }
    ways = {"lossless": (None, 11_000), f"scale {SCALE}": (SCALE, 1234), "300 bits/s": (None, 301)}
    rows = [
        {
            "name": name,
            "scale": scale,
            "bits": bits,
            "ratio": 352_800 / bits,
            "ratio_worst": 211.0,
            **shares,
        }
        for name, (scale, bits) in ways.items()
    ]
    return {"small": {"checkpoint": codec.digest, "clips": ["a", "b"], "seconds": 30, "rows": rows}}


def test_files_are_shown_in_words_a_curve_and_a_table(codec, tmp_path, monkeypatch):
    file = FigureFile.beside(str(tmp_path / "rate_distortion.py"))
    monkeypatch.setattr(event_files, "FIGURES", file)
    file.write(measured(codec))
    with use_store(MemoryStore()):
        prose, table = event_files.files_section(codec)
    assert isinstance(prose, Prose) and isinstance(table, Table)
    for text in (
        "2 held-out clips of 30 seconds",
        "1,234 bits",
        "286 to 1",
        "211 to 1",
        "0.1 % of the L2",
        "62 to 1",
    ):
        assert text in prose.text, text
    assert [row[0] for row in table.rows] == ["lossless", f"scale {SCALE}", "300 bits/s"]
    assert table.rows[1][1:] == ["1,234", "286", "0.90", "0.60", "0.1 %", "1.2 %", "5.2"]


@pytest.mark.parametrize("there", [True, False])
def test_files_of_another_checkpoint_say_nothing(codec, tmp_path, monkeypatch, there):
    file = FigureFile.beside(str(tmp_path / "rate_distortion.py"))
    monkeypatch.setattr(event_files, "FIGURES", file)
    if there:
        figures = measured(codec)
        figures["small"]["checkpoint"] = "0" * 64
        file.write(figures)
    (prose,) = event_files.files_section(codec)
    assert "python -m experiments.measurements.rate_distortion" in prose.text


def test_opinions_have_a_curve_and_a_sentence_with_every_rival(codec, tmp_path, monkeypatch):
    file = FigureFile.beside(str(tmp_path / "rate_distortion.py"))
    monkeypatch.setattr(event_files, "FIGURES", file)
    figures = measured(codec)
    small, others = figures["small"], [("high", 4.1, 3456), ("sparse", 3.5, 1200)]
    for row, (quality, opinion, bits) in zip(small["rows"], [*others, others[1]], strict=True):
        row.update(quality=quality, opinion=opinion, bits=bits, mode="quantised")
    small["rivals"] = [{"name": "Opus", "bits": 6900, "opinion": 2.25}]
    file.write(figures)
    with use_store(MemoryStore()):
        prose, curve, sentence, _ = event_files.files_section(codec)
    assert isinstance(curve, Image) and isinstance(prose, Prose)
    for text in ("high 4.10 at 3,456", "sparse 3.50 at 1,200", "Opus 2.25 at 6,900"):
        assert text in sentence.text, text


def test_the_verdict_is_a_chart_of_all_methods_and_a_sentence(codec, tmp_path, monkeypatch):
    file = FigureFile.beside(str(tmp_path / "rate_distortion.py"))
    monkeypatch.setattr(event_files, "FIGURES", file)
    figures = measured(codec)
    figures["small"]["rivals"] = [
        {"name": "Opus", "bits": bits, "log_mel": far} for bits, far in [(5000, 10.3), (8000, 8.0)]
    ]
    file.write(figures)
    config = codec.config
    with use_store(MemoryStore()):
        image, words = event_files.verdict(codec, METHODS)
        arguments = image.artifact.record.arguments
    drawn = str(arguments["points"])
    pursuit = 32 * 4 * 128 * 2 * config.samplerate / config.segment_samples
    for point in (["pursuit, 128 atoms", pursuit, 10.7], ["MP3", 8087, 20.5]):
        assert str(point)[1:-1] in drawn
    assert "14.1" not in drawn  # Opus coded the clips of the files too
    assert words.text == (
        "A second of sound takes 1.2 kilobits in a file of events, and comes back 5.2 dB away from"
        " the original by a log-mel distance. That is nearer than Opus (10.3 dB at 5.0 kilobits)"
        " and MP3 (20.5 dB at 8.1 kilobits). A model of hearing gives, from 1 to 5, the codec 3.6,"
        " Opus 1.9."
    )
