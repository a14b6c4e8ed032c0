"""A page that `python -m report serve` shows, while its script is edited."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.browser.conftest import sync_api

ROOT = Path(__file__).parents[2]
ARTICLE = '''"""Noises"""
import numpy as np
from report import Player, Sound, conjure

SEED = 1

@conjure
def long() -> Sound:
    return Sound(0.3 * np.random.default_rng(0).uniform(-1, 1, 8000 * 20), 8000)

@conjure
def short() -> Sound:
    return Sound(0.3 * np.random.default_rng(SEED).uniform(-1, 1, 800), 8000)

# %% [markdown]
# ## A long one
#
# Before the sound.

# %%
Player(long(), "long")

# %% [markdown]
# ## A short one
#
FILLER
#
# After the sound.

# %%
Player(short(), "short")
'''.replace("FILLER", "\n#\n".join(f"# Paragraph {i}." for i in range(60)))
SOUND = "document.querySelector('audio')"


def wait_until(page, condition, seconds=30):
    """Wait, also while the page is loaded again."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            if page.evaluate(f"Boolean({condition})"):
                return
        except sync_api.Error as error:
            if "context" not in str(error) or time.monotonic() > deadline:
                raise
        assert time.monotonic() < deadline, condition
        time.sleep(0.02)


@pytest.fixture
def script(tmp_path):
    (tmp_path / "noises.py").write_text(ARTICLE)
    return tmp_path / "noises.py"


@pytest.fixture
def page(script, open_page):
    process = subprocess.Popen(
        [sys.executable, "-m", "report", "serve", script.name, "--port", "0"],
        cwd=script.parent,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    address = re.search(r"http://\S+(?=/noises.html)", process.stdout.readline())[0]
    page = open_page(address, "noises.html", near=False)  # it comes when it is built
    wait_until(page, f"{SOUND} && document.documentElement.dataset.live === 'built'", 60)
    page.complaints.clear()  # of the page that was not there yet
    yield page
    process.terminate()
    process.communicate()


def edit(script, old, new):
    text = script.read_text()
    assert text.count(old) == 1
    script.write_text(text.replace(old, new))


def test_prose_comes_in_place_while_a_sound_plays_on(page, script):
    page.evaluate(
        f"() => {{ scrollTo(0, 900); self.same = {SOUND}; same.muted = true; same.play() }}"
    )
    wait_until(page, "same.currentTime > 0.05")
    scrolled, played = page.evaluate("[scrollY, same.currentTime]")
    edit(script, "# After the sound.", "# After **all** sounds.\n#\n# And more.")
    edit(script, "# Before the sound.", "# Ahead of the sound.")
    wait_until(page, "document.body.innerText.includes('Ahead of the sound.')")
    wait_until(page, "document.body.innerText.includes('After all sounds.\\n\\nAnd more.')")
    assert not page.evaluate("document.body.innerText.includes('Before the sound.')")
    assert page.evaluate(f"same === {SOUND} && !same.paused && same.currentTime > {played}")
    assert page.evaluate("scrollY") == pytest.approx(scrolled, abs=1)
    order = "[...document.querySelectorAll('main > *')].map((x) => x.innerText.slice(0, 12))"
    words = page.evaluate(order)
    ahead, last = words.index("Ahead of the"), words.index("And more.")
    assert words[last - 1] == "After all so" and ahead < words.index("Paragraph 0.") < last


def test_another_sound_keeps_the_place_in_the_page_and_in_the_sounds(page, script):
    page.evaluate(
        f"() => {{ scrollTo(0, 700); self.same = {SOUND}; same.muted = true; same.play() }}"
    )
    wait_until(page, "same.currentTime > 0.05")
    page.evaluate("same.pause()")
    scrolled, played = page.evaluate("[scrollY, same.currentTime]")
    first = page.evaluate("[...document.querySelectorAll('audio')].map((x) => x.src)")
    edit(script, "SEED = 1", "SEED = 2")
    wait_until(
        page,
        f"document.querySelectorAll('audio')[1]?.src !== {first[1]!r} && typeof links === 'object'",
    )
    wait_until(page, f"{SOUND}.currentTime > 0")
    assert page.evaluate(f"{SOUND}.src") == first[0] and page.evaluate("!self.same")
    assert page.evaluate(f"{SOUND}.currentTime") == pytest.approx(played, abs=0.05)
    wait_until(page, f"Math.abs(scrollY - {scrolled}) <= 1")


def test_an_error_is_on_the_page_which_stays_until_it_is_mended(page, script):
    edit(script, 'Player(short(), "short")', 'Player(shorter(), "short")')
    wait_until(page, "document.getElementById('_live')")
    words = page.evaluate("document.getElementById('_live').textContent")
    line = ARTICLE.split("\n").index('Player(short(), "short")') + 1
    assert f"noises.py, cell 5, line {line}: NameError: name 'shorter' is not defined" in words
    assert page.evaluate("document.querySelectorAll('audio').length") == 2
    edit(script, "shorter()", "short()")
    wait_until(page, "!document.getElementById('_live')")
    assert page.complaints == []
    built = (script.parent / "site" / "noises.html").read_text()
    assert "_live" in page.content() and "_live" not in built
