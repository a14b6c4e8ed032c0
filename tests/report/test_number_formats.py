import pytest

from report.number_formats import (
    counted,
    decibels,
    file_size,
    kilobytes,
    megabytes,
    minus,
    seconds,
    span,
)


@pytest.mark.parametrize(
    ("n_bytes", "text"),
    [(0, "1 kB"), (1_499, "1 kB"), (12_345, "12 kB"), (999_999, "1000 kB"), (1_000_000, "1.0 MB")],
)
def test_a_file_has_megabytes_or_else_at_least_one_kilobyte(n_bytes, text):
    assert file_size(n_bytes) == text


def test_numbers_have_one_form_everywhere():
    assert (kilobytes(499), megabytes(2_340_000), seconds(1.25)) == ("0 kB", "2.3 MB", "1.2 s")
    assert (decibels(-3.46), decibels(None), minus("-1e-3")) == ("−3.5", "−∞", "−1e−3")


def test_one_is_no_plural():
    assert [counted(n, "answer") for n in (0, 1, 2)] == ["0 answers", "1 answer", "2 answers"]
    assert counted(2, "listener counts", "listeners count") == "2 listeners count"


def test_an_interval_has_ends_or_is_missing():
    assert (span(-0.5, 1.25, 1), span(2, 30.4, 0)) == ("−0.5 … 1.2", "2 … 30")
    assert (span(None, 1.0, 1), span(1.0, None, 1, "–")) == ("", "–")
