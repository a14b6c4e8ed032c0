"""The pictures of README.md are made by a command, of figures that scripts have taken over."""

import numpy as np
import pytest
from PIL import Image

from benchmarks.screenshots import FIGURES, MARGIN, take
from tests.browser.conftest import sync_api


@pytest.mark.parametrize("name", ["roll", "comparison"])
def test_a_picture_holds_the_whole_figure_with_a_margin(browser, site, serve, tmp_path, name):
    out = tmp_path / "figure.png"
    take(browser, serve(site), "small.html", FIGURES[name][1], out)
    with Image.open(out) as image:
        pixels = np.asarray(image.convert("RGB"), int)
    height, width, _ = pixels.shape
    assert width == 1080 + 2 * MARGIN and height > 200
    drawn = np.abs(pixels - pixels[0, 0]).sum(2) > 60
    assert drawn[:, MARGIN : MARGIN + 60].any() and not drawn[:, : MARGIN - 6].any()
    assert drawn[-MARGIN - 80 :].any()


def test_a_figure_that_is_not_there_is_an_error(browser, site, serve, tmp_path, monkeypatch):
    monkeypatch.setattr("benchmarks.screenshots.LIMIT", 500)
    with pytest.raises(sync_api.TimeoutError):
        take(browser, serve(site), "index.html", ".roll", tmp_path / "figure.png")
