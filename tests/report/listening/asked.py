"""A site with listening tests, built for real, and answers to them."""

import json
from pathlib import Path

from report.listening.design import Design, digest, read_design
from report.site.manifest import read

ARTICLE = '''"""Tones

An article that asks."""
import numpy as np
from report import Mushra, Preference, Ratings, Sound, conjure

RATE = 16_000

@conjure
def tone(pitch: float, partials: int) -> Sound:
    time = np.arange(RATE // 2) / RATE
    waves = [np.sin(2 * np.pi * pitch * k * time) / k for k in range(1, partials + 1)]
    return Sound(0.1 * np.sum(waves, axis=0), RATE)

names = {"low": 220.0, "high": 330.0}
items = {name: {"fine": tone(pitch, 9), "coarse": tone(pitch, 2)} for name, pitch in names.items()}
reference = {name: tone(pitch, 20) for name, pitch in names.items()}
mushra = Mushra("Which tones are good", items, reference, consent="Answers are kept.", repeated=0)

# %%
mushra

# %%
Ratings("answers", mushra)

# %%
preference = Preference("Which tones are better", items, repeated=0)
[preference, Ratings("answers", preference)]
'''


def designs_of(site: Path) -> dict[str, Design]:
    """Kind -> design of the tests in a site's manifest."""
    manifest = json.loads((site / "manifest.json").read_bytes())
    tests = [page.get("tests", {}) for page in manifest["pages"].values()]
    asked = [test for each in tests for test in each.values()]
    designs = [read_design(test["design"]) for test in asked]
    assert [digest(design) for design in designs] == [test["sha256"] for test in asked]
    assert read((site / "manifest.json").read_bytes()).designs() == designs
    return {design.kind: design for design in designs}
