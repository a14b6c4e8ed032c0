"""The figure that opens an article: one button, two versions, and a run through its events."""

import json
import shutil

import numpy as np
import pytest

from tests.browser.conftest import limited, playing, wait_until

LIT = "Array.from(document.querySelectorAll('.opening circle'), (c) => c.classList.contains('%s'))"
SOUNDING, OUT = LIT % "sounding", LIT % "out"
STATUS = "document.querySelector('.opening .status').textContent"
STARTS = [0, 0.5, 0.75, 1.125]  # seconds, of the events


@pytest.fixture
def page(open_page, scaled):
    return open_page(scaled, "scaled.html")


def button(page, name):
    return page.locator(".opening").get_by_role("button", name=name)


def test_it_stands_above_the_text_and_loads_no_sound_before_the_press(page):
    assert page.locator("main > header > .opening").count() == 1
    assert page.locator(".opening figcaption").text_content() == "This is four events"
    assert not [url for url in page.requested if "/offline/" in url or url.endswith(".flac")]
    assert not page.locator(".opening audio").first.is_visible()


@pytest.mark.parametrize("served", [False, True])
def test_one_press_plays_and_marks_light_up_as_their_events_begin(open_page, scaled, serve, served):
    page = open_page(serve(scaled) if served else scaled, "scaled.html")
    page.evaluate(f"""() => {{
      window.seen = [];
      const look = () => {{
        const lit = JSON.stringify({SOUNDING});
        lit !== window.seen.at(-1) && window.seen.push(lit);
        requestAnimationFrame(look);
      }};
      look();
    }}""")
    button(page, "Play This is four events").click()
    wait_until(page, f"{STATUS} === '4 of 4 events have begun'")
    wait_until(page, f"{STATUS} === ''")  # it came to its end
    seen = [json.loads(lit) for lit in page.evaluate("seen")]
    first = [next(i for i, lit in enumerate(seen) if lit[k]) for k in range(4)]
    assert first == sorted(first) and len(set(first)) == 4
    assert not any(seen[-1])
    assert button(page, "Play This is four events").is_visible()
    assert page.complaints == []


def test_versions_switch_while_they_play_and_go_on_where_they_are(page):
    button(page, "Play This is four events").click()
    wait_until(page, f"parseInt({STATUS}) >= 2")
    page.locator(".opening").get_by_role("radio", name="Original").focus()
    page.keyboard.press("Space")
    wait_until(page, f"{STATUS} === ''")  # of the original no events are told
    at = page.evaluate("parseFloat(document.querySelector('.opening .now').getAttribute('x1'))")
    assert at > 100 * STARTS[1] / 2 - 1  # percent of two seconds
    assert button(page, "Pause This is four events").is_visible()
    page.keyboard.press("Escape")
    wait_until(page, f"!({SOUNDING}).includes(true)")
    assert button(page, "Play This is four events").is_visible()


def test_a_run_takes_the_sound_apart_and_puts_it_together(page):
    button(page, "Run through with sound").click()
    wait_until(page, f"{STATUS} === 'Event 2 of 4: C5, at 4000'")
    assert page.evaluate(f"[{SOUNDING}, {OUT}]") == [
        [False, True, False, False],
        [True, False, False, False],
    ]
    assert button(page, "Stop").is_visible()
    wait_until(page, f"{STATUS} === 'And together'")
    wait_until(page, f"{STATUS} === '2 of 4 events have begun'")
    assert page.evaluate(OUT) == [False, False, True, True]
    wait_until(page, f"{STATUS} === ''")
    assert button(page, "Run through with sound").is_visible()


def test_a_run_is_each_event_by_itself_and_then_the_whole(scripts):
    rate, n = 1000, 900
    sounds, whole = [np.full(n, 1000 * (i + 1)) for i in range(2)], np.full(200, 7)
    run = scripts.evaluate(
        """([sounds, whole, rate]) => Array.from(
          opening.inARow(sounds.map((x) => Int16Array.from(x)), Int16Array.from(whole), rate))""",
        [[sound.tolist() for sound in sounds], whole.tolist(), rate],
    )
    assert run[:300] == [1000] * 300  # until the second begins
    assert run[300:400] == [3000] * 100 and run[450] < 2700  # the first ends by a fade
    assert run[799] <= 20 and run[800:1100] == [0] * 300  # silence before it is put together
    assert run[1100:] == [7] * 200


def test_a_run_through_many_events_takes_twelve_seconds(scripts):
    rate, n = 100, 240
    run = scripts.evaluate(
        """([n, rate]) => Array.from(opening.inARow(
          Array.from({ length: n }, () => new Int16Array(30).fill(1)), new Int16Array(1), rate))""",
        [n, rate],
    )
    assert len(run) == (12 + 0.5) * rate + 1


def test_without_its_roll_on_the_page_there_is_no_run(open_page, scaled, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(scaled, copy)
    html = (copy / "scaled.html").read_text()
    (copy / "scaled.html").write_text(html.replace('class="roll wide"', 'class="other"'))
    page = open_page(copy, "scaled.html", near=False)
    assert button(page, "Play This is four events").is_visible()
    assert button(page, "Run through with sound").count() == 0
    assert page.locator(".opening circle[data-src]").count() == 0


def test_the_notes_of_a_score_are_those_of_the_roll_even_while_it_shows_likeness(page):
    spread = "(use) => (({ width, height }) => [width, height])(use.getBBox())"
    notes = page.locator(".opening .outlines use")
    before = notes.evaluate(spread)
    assert before[0] == 1000 and before[1] > 100
    page.get_by_role("combobox", name="Height").select_option("likeness")
    assert not page.locator(".roll .outline").is_visible()
    assert notes.evaluate(spread) == before


def test_the_last_press_counts_while_sounds_load(page):
    run, play = button(page, "Run through with sound"), page.locator(".opening .play")
    run.click()
    play.click()
    wait_until(page, f"parseInt({STATUS}) >= 1 && !{STATUS}.startsWith('Event')")
    assert run.text_content() == "Run through with sound"


def test_a_missing_sound_is_told_and_may_be_asked_for_again(open_page, scaled, serve):
    page = open_page(serve(scaled), "scaled.html")
    page.route("**/*.flac", lambda route: route.abort())
    button(page, "Play This is four events").click()
    page.locator(".opening .failure").wait_for()
    page.unroute("**/*.flac")
    button(page, "Play This is four events").click()
    wait_until(page, f"parseInt({STATUS}) >= 1")
    assert page.locator(".opening .failure").count() == 0


def test_it_is_silent_as_soon_as_something_else_plays(page):
    button(page, "Play This is four events").click()
    wait_until(page, f"parseInt({STATUS}) >= 1")
    page.locator(".roll").get_by_role("button", name="Play the mix of Four events").click()
    wait_until(page, f"{STATUS} === ''")


def test_without_scripts_both_versions_have_native_players(open_page, scaled):
    page = open_page(scaled, "scaled.html", java_script_enabled=False)
    players = page.locator(".opening audio")
    assert [player.get_attribute("aria-label") for player in players.all()] == [
        "Original",
        "Reconstruction",
    ]
    assert players.first.is_visible() and playing(page) == []


def test_where_motion_is_not_wanted_no_line_runs(open_page, scaled):
    page = open_page(scaled, "scaled.html", reduced_motion="reduce")
    button(page, "Play This is four events").click()
    wait_until(page, f"parseInt({STATUS}) >= 2")
    line = page.locator(".opening .now")
    assert line.get_attribute("visibility") == "visible" and not line.is_visible()


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_moves_as_it_comes_and_fingers_reach_it(open_page, scaled, width):
    page = open_page(scaled, "scaled.html", viewport={"width": width, "height": 844})
    shift = page.evaluate(
        limited("""() => new Promise((resolve) => {
      let sum = 0;
      new PerformanceObserver((list) => {
        sum += list.getEntries().reduce((all, entry) => all + entry.value, 0);
      }).observe({ type: 'layout-shift', buffered: true });
      setTimeout(() => resolve(sum), 300);
    })""")
    )
    assert shift <= 0.02
    boxes = page.locator(".opening :is(.play, .choice, .transport > .button)").all()
    assert len(boxes) == 4
    assert all(min(b.bounding_box()[s] for s in ("width", "height")) >= 44 for b in boxes)
    assert page.locator(".opening .play").bounding_box()["width"] == 72
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_an_axe_run_finds_nothing(page):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
        result = axe.run(page, options={"runOnly": {"type": "tag", "values": tags}})
        found = [(v["id"], v["nodes"][0]["html"][:90]) for v in result.response["violations"]]
        assert (scheme, found) == (scheme, [])
