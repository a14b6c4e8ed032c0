"""The plot of an event roll: walked by keys, pressed, pointed at, dragged; and all beside it."""

import statistics

import numpy as np
import pytest

from tests.browser.conftest import LOAD_ALL, open_menu, wait_until, wait_until_it_moves

LINED_UP = (
    ".axis",
    ".plot",
    ".timeline",
    ".transport",
    ".inspector",
    ".tools",
    ".desk .facts",
    "figcaption",
)
SOUNDING = "(document.querySelector('.mark.sounding')?.ariaLabel || '')"
PLAY, POSITION = "Play the mix of Nine events.", "Position in the mix"
COUNT_FRAMES = """() => {
  window.frames = 0;
  const tick = () => {
    frames++;
    requestAnimationFrame(tick);
  };
  tick();
}"""
PLAYING = "/^0:0[0-9.]+/.test(document.querySelector('.desk.playing .time')?.textContent)"


@pytest.fixture(scope="session")
def crowded(build_pages):
    """The site of an article with 200 events in one roll."""
    return build_pages("many")


def mark(page, number: int):
    return page.locator(f".roll .mark[aria-posinset='{number}']")  # large ones are drawn first


def centre(page, number: int) -> tuple[float, float]:
    circle = mark(page, number).locator("circle").last
    circle.scroll_into_view_if_needed()
    box = circle.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def focused(page) -> int:
    return int(
        page.evaluate(
            "document.activeElement.matches('.roll .mark') && document.activeElement.ariaPosInSet"
        )
    )


def selected(page) -> list[str]:
    """The event that each view shows as selected."""
    return page.evaluate("""() => {
      const roll = document.querySelector('.roll');
      const band = roll.querySelector('.vectors span');
      return [roll.querySelector('.mark[aria-selected=true]').ariaLabel.split(',')[0],
        roll.querySelector('.inspector:not([hidden])').ariaLabel,
        'Event ' + roll.querySelector('tr[aria-current=true]').cells[0].textContent,
        'Event ' + (1 + Math.round(parseFloat(band.style.top) / parseFloat(band.style.height)))];
    }""")


def test_every_event_has_a_spoken_name(open_page):
    page = open_page()
    assert mark(page, 5).get_attribute("aria-label") == (
        "Event 5, at 1.05 seconds, 0.40 seconds long, peak −20.0 dBFS, most like event 4"
    )
    plot = page.get_by_role("listbox", name="Nine events.: 9 events over time")
    assert plot.get_by_role("option").count() == 9
    described = [
        page.locator(f"[id='{x}']").text_content()
        for x in plot.get_attribute("aria-describedby").split()
    ]
    assert described[0] == "Press a circle to hear it; drag it sideways to move it."
    assert described[1].startswith("Arrow keys walk")
    keys = page.locator(".roll .keys")
    assert keys.get_by_text("Arrow keys walk").is_hidden()
    keys.get_by_text("Keys", exact=True).click()
    assert keys.get_by_text("Arrow keys walk").is_visible()


def test_lines_and_the_playhead_end_where_the_plot_does(open_page):
    page = open_page()
    right = page.locator(".roll .plot").bounding_box()
    right = right["x"] + right["width"]
    mark(page, 6).focus()
    page.get_by_role("spinbutton", name="Time in seconds").fill("2.9")
    page.keyboard.press("Tab")
    line = mark(page, 6).locator("line").bounding_box()
    assert line["x"] + line["width"] == pytest.approx(right, abs=2)
    page.evaluate("""() => {
      window.farthest = 0;
      const look = () => {
        const now = document.querySelector('.roll:has(.mark.sounding) .now');
        window.farthest = Math.max(window.farthest, now ? now.getBoundingClientRect().x : 0);
        requestAnimationFrame(look);
      };
      look();
    }""")
    page.locator(".inspector").get_by_role("button", name="Play", exact=True).click()
    wait_until(page, "window.farthest > 0")
    wait_until(page, f"!{SOUNDING}")  # its end lies behind the plot's
    assert page.evaluate("window.farthest") == pytest.approx(right, abs=2)


def test_the_picture_is_explained_and_small_events_lie_on_top(open_page, crowded):
    page = open_page(crowded, "many.html")
    told = page.locator(".roll .told").text_content()
    assert told == "size: loudness, line: length, similar colours: similar sounds"
    about = page.locator(".roll .vectors p").text_content()
    assert about.startswith("Vectors, in the order found: a row for each event")
    sizes = page.locator(".mark circle:not(.reach)").evaluate_all(
        "all => all.map(x => x.r.baseVal.value)"
    )
    assert sizes == sorted(sizes, reverse=True) and len(set(sizes)) > 5


@pytest.mark.parametrize("width", [1280, 390])
def test_everything_shares_one_left_and_one_right_edge(open_page, width):
    page = open_page(viewport={"width": width, "height": 800})
    mark(page, 5).focus()
    figure = page.locator(".roll").bounding_box()
    boxes = {name: page.locator(f".roll {name}").bounding_box() for name in LINED_UP}
    assert {name for name, box in boxes.items() if box["x"] != figure["x"]} == set()
    last = page.locator(".roll .menu").last.bounding_box()
    assert last["x"] + last["width"] == figure["x"] + figure["width"]
    plot, vectors = boxes[".plot"], page.locator(".roll .vectors").bounding_box()
    if width == 1280:
        assert vectors["x"] - plot["x"] - plot["width"] >= 48
    else:
        assert plot["width"] == figure["width"]
        tops = [
            boxes[name]["y"]
            for name in (".plot", ".inspector", ".timeline", ".transport", ".tools")
        ]
        assert tops == sorted(tops)


def test_arrow_keys_walk_to_every_event_which_is_one_tab_stop(open_page):
    page = open_page()
    mark(page, 1).focus()
    reached = [focused(page)]
    for direction in "Up Up Right Down Down Right Up Up".split():
        page.keyboard.press(f"Arrow{direction}")
        reached.append(focused(page))
    assert reached == [1, 4, 7, 8, 5, 2, 3, 6, 9]
    assert page.locator(".roll .mark[tabindex='0']").count() == 1
    page.keyboard.press("Home")
    in_time = [focused(page)]
    for _ in range(8):
        page.keyboard.press("PageDown")
        in_time.append(focused(page))
    assert in_time == [1, 4, 7, 2, 5, 8, 3, 6, 9]
    page.keyboard.press("Tab")
    assert focused(page) == 0
    page.keyboard.press("Shift+Tab")
    assert focused(page) == 9


def test_enter_plays_an_event_and_with_shift_in_context(open_page):
    page = open_page()
    mark(page, 5).focus()
    page.keyboard.press("Enter")
    wait_until(page, SOUNDING)
    assert page.evaluate(SOUNDING).startswith("Event 5,")
    wait_until(page, f"!{SOUNDING}")
    page.keyboard.press("Shift+Enter")
    wait_until(page, "document.querySelector('.desk.playing')")
    wait_until(page, SOUNDING)
    # In the mix those sound that begin at the same time.
    wait_until(page, "document.querySelectorAll('.roll .mark.sounding').length === 3")
    page.keyboard.press("Escape")
    assert page.locator(".desk.playing").count() == 0 and page.complaints == []


def test_a_press_near_an_event_plays_it_and_one_thing_sounds_at_a_time(open_page):
    page = open_page()
    page.get_by_role("button", name="Play the mix of Nine events.").click()
    wait_until(page, "document.querySelector('.desk.playing .time')?.textContent > '0:00.1'")
    x, y = centre(page, 5)
    page.mouse.click(x + 18, y)
    wait_until(page, SOUNDING + ".startsWith('Event 5,')")
    assert page.locator(".desk.playing").count() == 0
    page.get_by_role("button", name="Play Long tone", exact=True).click()
    wait_until_it_moves(page)
    assert page.locator(".mark.sounding").count() == 0


def test_pointing_describes_and_plays_after_the_first_press(open_page):
    page = open_page()
    page.mouse.move(*centre(page, 2))
    assert page.locator(".told").text_content().startswith("Event 2, at 1.05 seconds")
    mark(page, 2).focus()
    told = page.locator(".told").text_content()
    assert told.startswith("size: loudness")  # the controls say it now
    page.mouse.move(0, 0)
    mark(page, 1).focus()
    page.wait_for_timeout(400)
    assert page.locator(".mark.sounding").count() == 0
    assert not [url for url in page.requested if "offline" in url]
    page.mouse.click(*centre(page, 1))
    page.mouse.move(*centre(page, 3))
    wait_until(page, SOUNDING + ".startsWith('Event 3,')")
    page.get_by_label("Play what is pointed at").uncheck()
    page.mouse.move(*centre(page, 6))
    page.wait_for_timeout(400)
    assert not page.evaluate(SOUNDING).startswith("Event 6,")


def test_what_is_heard_by_pointing_is_what_all_views_tell_of(open_page):
    page = open_page()
    page.mouse.click(*centre(page, 1))
    wait_until(page, SOUNDING + ".startsWith('Event 1,')")
    page.mouse.move(*centre(page, 3))
    wait_until(page, SOUNDING + ".startsWith('Event 3,')")
    assert selected(page) == ["Event 3"] * 4 and focused(page) == 3
    now, extent = (page.locator(f".roll {x}").bounding_box() for x in (".now", ".extent"))
    assert extent["x"] - 2 <= now["x"] + now["width"] / 2 <= extent["x"] + extent["width"] + 2
    wait_until(page, f"!{SOUNDING}")
    page.get_by_role("spinbutton", name="Time in seconds").focus()
    page.mouse.move(*centre(page, 6))
    page.wait_for_timeout(400)
    assert selected(page) == ["Event 3"] * 4  # it is being typed at


def test_an_event_that_plays_alone_stops_where_another_is_selected(open_page):
    page = open_page()
    page.get_by_label("Play what is pointed at").uncheck()
    mark(page, 5).focus()
    page.keyboard.press("Enter")
    wait_until(page, SOUNDING + ".startsWith('Event 5,')")
    page.keyboard.press("ArrowLeft")
    assert page.evaluate(SOUNDING) == "" and focused(page) == 4


def test_a_selection_is_shared_by_all_views(open_page):
    page = open_page()
    page.evaluate("document.querySelector('.roll .events').open = true")
    mark(page, 4).focus()
    assert selected(page) == ["Event 4"] * 4
    page.locator(".roll tr[data-start]").nth(6).locator("td").first.click()
    assert selected(page) == ["Event 7"] * 4
    picture = page.locator(".roll .vectors img")
    picture.click(position={"x": 5, "y": picture.bounding_box()["height"] * 2.5 / 9})
    assert selected(page) == ["Event 3"] * 4
    left, width = page.locator(".extent").evaluate("e => [e.style.left, e.style.width]")
    shares = float(left[:-1]), float(width[:-1])
    assert shares == pytest.approx((100 * 2.05 / 3, 100 * 0.4 / 3), abs=0.01)
    select = "(roll) => roll.dispatchEvent(new CustomEvent('select', {detail: {index: 7}}))"
    page.locator(".roll").evaluate(select)
    assert selected(page) == ["Event 8"] * 4
    page.locator(".roll td a").first.click()
    wait_until(page, SOUNDING + ".startsWith('Event 1,')")
    assert selected(page) == ["Event 1"] * 4 and page.url.endswith("small.html")


def test_keys_go_on_from_a_press_on_a_row_of_the_table_or_of_the_vectors(open_page):
    page = open_page()
    picture = page.locator(".roll .vectors img")
    picture.click(position={"x": 5, "y": picture.bounding_box()["height"] * 2.5 / 9})
    assert focused(page) == 3
    page.keyboard.press("ArrowLeft")
    assert focused(page) == 2
    page.evaluate("document.querySelector('.roll .events').open = true")
    page.locator(".roll tr[data-start]").nth(6).locator("td").first.click()
    page.keyboard.press("Enter")
    wait_until(page, SOUNDING + ".startsWith('Event 7,')")


def test_a_link_restores_what_was_listened_to_and_loads_nothing(open_page):
    page = open_page(hash="#clip=events.events&event=5&solo=5,7&t=0.50,1.50")
    assert selected(page) == ["Event 5"] * 4
    assert page.locator(".mark:not(.muted)").count() == 2
    position = page.get_by_role("slider", name=POSITION).get_attribute("aria-valuetext")
    assert position == "0.5 of 3.0 seconds, looping 0.5 to 1.5"
    assert not [url for url in page.requested if "offline" in url or url.endswith(".flac")]
    page.evaluate("navigator.clipboard.writeText = async (text) => { window.copied = text; }")
    open_menu(page, "Nine events")
    page.get_by_role("button", name="Link to Nine events").click()
    wait_until(page, "window.copied")
    assert page.evaluate("window.copied").endswith(
        "#clip=events.events&event=5&solo=5,7&t=0.50,1.50"
    )


def test_a_drag_moves_an_event_along_time_only(open_page):
    page = open_page()
    x, y = centre(page, 5)
    width = page.locator(".roll .plot").bounding_box()["width"]
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + width / 12, y + 40, steps=5)
    page.mouse.move(x + width / 6, y + 80, steps=5)
    page.mouse.up()
    assert page.locator(".inspector input[type=number]").input_value() == "1.550"
    assert mark(page, 5).get_attribute("y") == "50.0%"
    wait_until(
        page, "document.querySelector('.verdict').textContent.startsWith('Edited: 1 event moved')"
    )
    page.mouse.move(*centre(page, 5))
    page.mouse.down()
    page.mouse.move(x, y, steps=3)
    page.keyboard.press("Escape")
    page.mouse.up()
    assert page.locator(".inspector input[type=number]").input_value() == "1.550"


def test_a_drag_is_told_of_and_summed_on_its_way_and_is_one_step_to_undo(open_page):
    page = open_page()
    page.get_by_role("button", name=PLAY).click()
    wait_until(page, PLAYING)
    x, y = centre(page, 5)
    width = page.locator(".roll .plot").bounding_box()["width"]
    verdict = "document.querySelector('.verdict').textContent"
    page.mouse.move(x, y)
    page.mouse.down()
    for share, time in ((1 / 12, "1.300"), (1 / 6, "1.550")):
        page.mouse.move(x + width * share, y, steps=3)
        assert page.locator(".inspector input[type=number]").input_value() == time
        assert f"at {float(time):.2f} seconds" in page.locator(".which").text_content()
        assert (
            page.locator(".roll tr[data-start]").nth(4).locator("td").nth(1).text_content()
            == time[:4]
        )
        extent, circle = (
            page.locator(x).bounding_box() for x in (".extent", ".mark:focus circle >> nth=1")
        )
        assert extent["x"] == pytest.approx(circle["x"] + circle["width"] / 2, abs=2)
        wait_until(page, f"{verdict}.startsWith('Edited: 1 event moved')")
    assert page.locator(".desk.playing").count() == 1  # the mix goes on, with the event elsewhere
    page.keyboard.press("Escape")
    wait_until(page, f"{verdict}.startsWith('The mix is the published')")
    page.mouse.up()
    gain = page.get_by_role("slider", name="Gain")
    gain.evaluate("(x) => { x.value = -12; x.dispatchEvent(new Event('input')); }")
    assert "peak −32.0 dBFS" in mark(page, 5).get_attribute("aria-label")
    gain.evaluate("(x) => { x.value = -6; x.dispatchEvent(new Event('input')); }")
    gain.evaluate("(x) => x.dispatchEvent(new Event('change'))")
    assert "peak −26.0 dBFS" in mark(page, 5).get_attribute("aria-label")
    page.get_by_role("button", name="Undo").click()
    assert "peak −20.0 dBFS" in mark(page, 5).get_attribute("aria-label")
    assert page.get_by_role("button", name="Undo").get_attribute("aria-disabled") == "true"


def test_by_touch_a_sideways_drag_moves_an_event_and_the_page_scrolls_elsewhere(open_page):
    page = open_page(viewport={"width": 390, "height": 700}, has_touch=True, is_mobile=True)
    page.locator(".roll").scroll_into_view_if_needed()
    x, y = centre(page, 5)
    before = page.evaluate("scrollY")
    swipe(page, (x, y), (x + 60, y + 3))
    assert float(page.locator(".inspector input[type=number]").input_value()) > 1.3
    assert page.evaluate("scrollY") == before
    page.touchscreen.tap(*centre(page, 2))
    wait_until(page, SOUNDING + ".startsWith('Event 2,')")
    x, y = centre(page, 5)
    swipe(page, (x + 60, y), (x + 60, y - 120))  # beside every mark
    wait_until(page, f"scrollY > {before} + 50")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def swipe(page, start, end):
    """A finger from `start` to `end`, through the browser's own recognition of gestures."""
    client = page.context.new_cdp_session(page)
    for i in range(13):
        x, y = (a + (b - a) * i / 12 for a, b in zip(start, end, strict=True))
        client.send(
            "Input.dispatchTouchEvent",
            {"type": "touchMove" if i else "touchStart", "touchPoints": [{"x": x, "y": y}]},
        )
        page.wait_for_timeout(16)
    client.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def test_targets_are_large_enough_for_a_thumb(open_page):
    page = open_page(viewport={"width": 390, "height": 800}, has_touch=True, is_mobile=True)
    page.evaluate("document.querySelector('.roll .events').open = true")
    page.touchscreen.tap(*centre(page, 5))
    page.locator(".roll fieldset").wait_for()
    small = page.evaluate("""() => {
      const targets = ':is(button, input, select, .reach, td a, .events > summary)';
      return [...document.querySelectorAll(`.roll ${targets}`)]
        .map((x) => [x.outerHTML.slice(0, 90), x.getBoundingClientRect()])
        .filter(([, box]) => box.width && Math.min(box.width, box.height) < 43.5)
        .map(([html]) => html);
    }""")
    assert small == []


def test_200_events_are_dragged_at_30_frames_a_second(open_page, crowded):
    """Each frame takes little enough processor time, which other programs do not add to."""
    page = open_page(crowded, "many.html")
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    x, y = centre(page, 100)
    page.mouse.move(x, y)
    page.mouse.down()
    number = int(page.locator(".inspector").get_attribute("aria-label").split()[1])
    page.evaluate(COUNT_FRAMES)
    busy = [task_seconds(session)]
    for i in range(240):
        page.mouse.move(x + 200 * (1 - abs(1 - i / 120)), y)
        busy.append(task_seconds(session))
    left = float(mark(page, number).get_attribute("x")[:-1])
    page.mouse.up()
    spent = np.diff(busy)  # seconds for each move of the mouse, which a frame follows
    assert page.evaluate("frames") > 20 and left > 0
    assert statistics.median(spent) < 1 / 30
    assert statistics.quantiles(spent, n=20)[-1] < 2 / 30


def task_seconds(session) -> float:
    """The processor time that the page's main thread has used."""
    metrics = session.send("Performance.getMetrics")["metrics"]
    return next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration")


def test_seeking_while_it_plays_leaves_one_loop_of_frames(open_page):
    page = open_page()
    page.get_by_role("button", name=PLAY).click()
    wait_until(page, PLAYING)
    page.get_by_role("slider", name=POSITION).focus()
    for _ in range(15):
        page.keyboard.press("ArrowLeft")
    calls = page.evaluate("""() => new Promise((resolve) => {
      const ask = requestAnimationFrame;
      let [calls, frames] = [0, 0];
      window.requestAnimationFrame = (then) => { calls++; return ask(then); };
      const tick = () => (frames++ < 10 ? ask(tick) : resolve(calls));
      ask(tick);
    })""")
    assert 5 <= calls <= 12


def test_pointing_does_not_stop_another_sound(open_page):
    page = open_page()
    page.mouse.click(*centre(page, 1))
    wait_until(page, SOUNDING)
    page.locator("audio").first.evaluate("audio => audio.play()")
    wait_until_it_moves(page)
    page.mouse.move(*centre(page, 3))
    page.wait_for_timeout(400)
    assert not page.locator("audio").first.evaluate("audio => audio.paused")
    assert page.evaluate(SOUNDING) == ""


def test_while_the_mix_loads_it_says_so_and_seeking_counts(open_page, serve, site):
    page = open_page(serve(site))
    held = []
    page.route("**/media/*.flac", lambda route: held.append(route))
    page.get_by_role("button", name=PLAY).click()
    wait_until(page, "document.querySelector('.desk .time').textContent === 'Loading…'")
    assert page.locator(".desk .play").get_attribute("aria-busy") == "true"
    slider = page.get_by_role("slider", name=POSITION)
    slider.focus()
    for _ in range(10):
        page.keyboard.press("ArrowRight")
    assert slider.get_attribute("aria-valuenow") == "1.50"
    for route in held:
        route.continue_()
    page.unroute("**/media/*.flac")
    wait_until(page, PLAYING)
    assert page.locator(".desk .play").get_attribute("aria-busy") == "false"
    assert float(slider.get_attribute("aria-valuenow")) >= 1.5 and page.complaints == []


def test_a_link_behind_the_end_is_the_end_and_the_playhead_keeps_its_place(open_page):
    page = open_page(hash="#clip=events.events&t=99999")
    slider = page.get_by_role("slider", name=POSITION)
    assert slider.get_attribute("aria-valuetext") == "3.0 of 3.0 seconds"
    assert page.locator(".desk .time").text_content() == "0:03.0 / 0:03.0"
    slider.focus()
    for _ in range(10):
        page.keyboard.press("ArrowLeft")
    for width in (1280, 700):
        page.set_viewport_size({"width": width, "height": 800})
        now, plot = (page.locator(f".roll {name}").bounding_box() for name in (".now", ".plot"))
        assert now["x"] + now["width"] / 2 - plot["x"] == pytest.approx(plot["width"] / 2, abs=2)


def test_opening_a_link_stops_what_plays_and_can_not_be_undone(open_page):
    page = open_page()
    page.get_by_role("button", name=PLAY).click()
    wait_until(page, PLAYING)
    page.evaluate("location.hash = '#clip=events.events&solo=1,2&t=1'")
    wait_until(page, "document.querySelectorAll('.mark:not(.muted)').length === 2")
    assert page.locator(".desk.playing").count() == 0
    assert page.locator(".desk .time").text_content() == "0:01.0 / 0:03.0"
    assert page.get_by_role("button", name="Undo").get_attribute("aria-disabled") == "true"


def test_what_was_selected_before_the_script_came_is_selected(open_page):
    page = open_page(near=False)
    early = page.evaluate("""() => {
      document.querySelector('.roll').dataset.selected = '6';
      return document.querySelector('.mark') === null;
    }""")
    page.evaluate(LOAD_ALL)
    name = page.locator(".mark[aria-selected=true]").get_attribute("aria-label")
    assert early and name.startswith("Event 7,")


def test_a_press_that_asks_for_a_new_tab_gets_it(open_page):
    page = open_page()
    taken = page.evaluate("""() => {
      const link = document.querySelector('.roll td a');
      const taken = [];
      document.addEventListener('click', (event) => {
        taken.push(event.defaultPrevented);
        event.preventDefault();
      });
      for (const key of ['ctrlKey', 'shiftKey', 'metaKey', 'bubbles']) {
        const init = { bubbles: true, cancelable: true, [key]: true };
        link.dispatchEvent(new MouseEvent('click', init));
      }
      return taken;
    }""")
    assert taken == [False, False, False, True]


def test_a_second_finger_does_not_disturb_a_drag(open_page):
    page = open_page()
    x, y = centre(page, 5)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 60, y, steps=3)
    before = mark(page, 5).get_attribute("x")
    for kind in ("pointermove", "pointerup", "pointercancel"):
        init = {"pointerId": 77, "clientX": x + 200, "clientY": y, "bubbles": True}
        page.locator(".roll .plot").dispatch_event(kind, init)
    assert mark(page, 5).get_attribute("x") == before != "35%"
    assert page.locator(".plot.dragging").count() == 1
    page.mouse.up()
    assert page.locator(".plot.dragging").count() == 0


def test_without_scripts_it_is_a_picture_and_a_table_of_links(open_page):
    page = open_page(java_script_enabled=False)
    assert page.locator(".roll svg[role=img] > circle:visible").count() == 9
    assert page.locator(".roll td a").count() == 9
    assert page.locator(".roll button").count() == 0
