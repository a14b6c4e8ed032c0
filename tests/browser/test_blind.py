"""The blind test in comparisons."""

import pytest
from scipy.stats import binom, binomtest

from tests.browser.conftest import wait_until
from tests.browser.test_compare import wait_for_levels

ABX = "A difference? (ABX)"
NEARER = "Nearer to the original?"
# The test's coin falls as the list `coins` says.
FIXED = """(coins) => {
  crypto.getRandomValues = (bytes) => {
    bytes[0] = coins.shift();
    return bytes;
  };
}"""
# The gains of what plays, in the order of the versions.
WATCH = """() => {
  window.gains = [];
  window.GainNode = class extends GainNode {
    constructor(...a) {
      super(...a);
      gains.push(this);
    }
  };
}"""
# The gains that make the versions of the first comparison equally loud.
MATCHED = """() => {
  const figure = document.querySelector('.compare');
  const parts = [...figure.querySelectorAll('.version')].slice(0, 2);
  const players = [...figure.querySelectorAll('.player')];
  return versions.match(parts.map((part, i) => ({
    loudness: Number(players[i].dataset.loudness), peak: Number(part.dataset.peak) })));
}"""
# Count the fades.
COUNT = """() => {
  window.fades = 0;
  const schedule = AudioParam.prototype.setValueCurveAtTime;
  AudioParam.prototype.setValueCurveAtTime = function (...a) {
    fades++;
    return schedule.apply(this, a);
  };
}"""


@pytest.fixture
def page(open_page):
    return open_page()


def dialog(page):
    return page.get_by_role("dialog", name="Blind test")


def press(page, name):
    dialog(page).get_by_role("button", name=name, exact=True).click()


def ask(page, question):
    dialog(page).get_by_label("Question").select_option(question)


def begin(page, trials=8, coins=None, question=ABX):
    """Open the test and begin; X is what `coins` say (0 for A), or drawn as in earnest."""
    if coins is not None:
        page.evaluate(FIXED, [0, *coins])  # one is drawn before the first trial
    page.get_by_role("button", name="Blind test").first.click()
    ask(page, question)
    dialog(page).get_by_label("Trials").select_option(str(trials))
    press(page, "Begin")


def heading(page):
    return dialog(page).get_by_role("heading").text_content()


def test_it_is_closed_until_it_is_asked_for_and_closes_by_escape(page):
    assert page.locator("dialog").count() == 0
    page.get_by_role("button", name="Blind test").first.click()
    assert heading(page) == "Blind test"
    choice = dialog(page).get_by_role("combobox", name="Question")
    assert choice.locator("option:checked").text_content() == NEARER
    ask(page, ABX)
    assert page.evaluate("document.activeElement.selectedOptions[0].textContent") == ABX
    choice = dialog(page).get_by_role("combobox", name="A", exact=True)
    assert choice.locator("option").all_text_contents()[:2] == ["Low", "High"]
    page.keyboard.press("Escape")
    wait_until(page, "!document.querySelector('dialog')")
    assert page.evaluate("document.activeElement.textContent") == "Blind test"


def test_a_version_is_not_compared_with_itself(page):
    page.get_by_role("button", name="Blind test").first.click()
    ask(page, ABX)
    dialog(page).get_by_role("combobox", name="B", exact=True).select_option("Short and loud")
    for own, other in (("A", "Short and loud"), ("B", "Low")):
        options = (
            dialog(page).get_by_role("combobox", name=own, exact=True).locator("option:disabled")
        )
        assert options.all_text_contents() == [other]


def test_right_and_wrong_answers_are_counted_and_told_only_at_the_end(page):
    coins = [0, 1, 1, 0, 1, 0, 0, 1]
    given = [0, 1, 1, 0, 1, 0, 1, 0]  # the last two are wrong
    begin(page, 8, coins)
    for i, answer in enumerate(given):
        assert heading(page) == f"Trial {i + 1} of 8"
        assert "correct" not in dialog(page).text_content()
        press(page, "X")
        press(page, f"X is {'AB'[answer]}")
    assert heading(page) == "6 of 8 correct"
    assert "p = 0.1445" in dialog(page).text_content()
    assert "6 or more right in 14 % of such tests" in dialog(page).text_content()
    assert "no evidence" in dialog(page).text_content()
    press(page, "Again")
    assert heading(page) == "Blind test"


def test_it_is_done_by_keys_alone(page):
    page.evaluate(FIXED, [0] * 20)
    page.get_by_role("button", name="Blind test").first.focus()
    page.keyboard.press("Enter")
    ask(page, ABX)
    while page.evaluate("document.activeElement.textContent") != "Begin":
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    for key, name in (("a", "A"), ("b", "B"), ("X", "X")):
        page.keyboard.press(key)
        assert dialog(page).locator("[aria-pressed=true]").all_text_contents() == [name]
    for i in range(12):
        assert heading(page) == f"Trial {i + 1} of 12"
        page.keyboard.press("x")
        while page.evaluate("document.activeElement.textContent") != "X is A":
            page.keyboard.press("Tab")
        page.keyboard.press("Enter")
    assert heading(page) == "12 of 12 correct"
    assert page.evaluate("document.activeElement.textContent") == "12 of 12 correct"
    assert "a difference was most likely heard" in dialog(page).text_content()
    assert "all right in less than 0.1 %" in dialog(page).text_content()


def test_a_b_and_x_are_heard_at_the_same_position_equally_loud_and_x_is_what_was_drawn(page):
    page.evaluate(WATCH)
    begin(page, 8, [1])
    matched = page.evaluate(MATCHED)
    dialog(page).get_by_role("slider").focus()
    page.keyboard.press("Shift+End")  # in a loop of the whole, the test has time
    for key, expected in (("a", 0), ("b", 1), ("x", 1)):
        page.keyboard.press(key)
        wait_until(page, "gains.length > 0")
        wait_for_levels(page, [matched[i] if i == expected else 0 for i in range(2)], "gains")
    assert page.evaluate("gains.length") == 2  # both went on from the first to the last: in lock


def test_the_way_to_x_sounds_the_same_whatever_x_is(open_page):
    """Every press goes through silence: a fade only where X is another sound would betray it."""
    fades = []
    for coin in (0, 1):
        page = open_page()
        page.evaluate(COUNT)
        begin(page, 8, [coin])
        dialog(page).get_by_role("slider").focus()
        page.keyboard.press("Shift+End")  # in a loop of the whole, the test has time
        press(page, "A")
        wait_until(page, "document.querySelector('dialog [role=slider]').ariaValueNow > 0.1")
        before = page.evaluate("fades")
        page.keyboard.press("x")
        fades.append(page.evaluate("fades") - before)
    assert fades[0] == fades[1] > 0


def test_pressed_twice_it_opens_once(page):
    page.get_by_role("button", name="Blind test").first.dblclick()
    dialog(page).wait_for()
    assert page.locator("dialog").count() == 1


def states_of(page, keys):
    """The page's HTML after each of the keys, with its sound at rest at the beginning."""
    states = []
    for key in keys:
        page.keyboard.press(key)
        page.wait_for_timeout(80)
        dialog(page).locator(".play").click()
        dialog(page).get_by_role("slider").focus()
        page.keyboard.press("Home")
        states.append(page.evaluate("document.documentElement.outerHTML"))
    return states


def test_nothing_in_the_page_tells_what_x_is(open_page):
    """Elements, attributes and texts are the same, but for the clock; the waveform too."""
    seen = []
    for coin in (0, 1):
        page = open_page()
        begin(page, 8, [coin] * 8)
        states = states_of(page, "abxax")
        seen.append(states)
        requested = sorted(url for url in page.requested)
        seen[-1].append([url.partition("site/")[2] for url in requested])
    assert seen[0] == seen[1]


def test_what_plays_in_the_page_stops_when_the_test_opens(page):
    page.locator(".compare").first.get_by_role("slider").press("Shift+End")  # loops on and on
    page.get_by_role("button", name="Play Low").click()
    wait_until(page, "document.querySelector('.compare .playing')")
    page.get_by_role("button", name="Blind test").first.click()
    dialog(page).wait_for()
    assert page.locator(".compare .playing").count() == 0
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Play Long tone").click()
    wait_until(page, "!document.querySelector('audio').paused")
    page.evaluate("document.querySelector('.compare .matching button').click()")
    dialog(page).wait_for()
    assert page.evaluate("document.querySelector('audio').paused")


def test_a_trial_says_what_a_and_b_are_and_what_closing_loses(page):
    begin(page, 8, [0] * 8)
    assert dialog(page).locator("p").first.text_content() == "A: Low. B: High"
    assert dialog(page).get_by_role("button", name="Close", exact=True).is_visible()
    for _ in range(2):
        press(page, "X")
        press(page, "X is A")
    assert dialog(page).get_by_role("button", name="Close, losing 2 of 8 answers").is_visible()
    for _ in range(6):
        press(page, "X")
        press(page, "X is A")
    assert dialog(page).get_by_role("button", name="Close", exact=True).is_visible()


def test_between_trials_it_is_silent_and_x_has_to_be_heard_before_the_answer(page):
    begin(page, 8, [0, 1, 0, 1, 0, 1, 0, 1])
    assert dialog(page).get_by_role("button", name="X is A").is_disabled()
    press(page, "A")
    press(page, "B")
    assert dialog(page).get_by_role("button", name="X is B").is_disabled()
    press(page, "X")
    wait_until(page, "document.querySelector('dialog .playing')")
    press(page, "X is A")
    assert dialog(page).locator(".playing").count() == 0
    assert dialog(page).get_by_role("button", name="X is A").is_disabled()
    assert page.evaluate("document.activeElement.textContent") == "X"


def test_a_test_that_is_closed_or_drowned_out_is_silent(page):
    begin(page)
    page.keyboard.press("x")
    wait_until(page, "document.querySelector('dialog .playing')")
    page.evaluate("sound.claim({ stop() {} })")
    assert dialog(page).locator(".playing").count() == 0
    page.keyboard.press("a")
    wait_until(page, "document.querySelector('dialog .playing')")
    press(page, "Close")
    wait_until(page, "!document.querySelector('dialog')")
    page.get_by_role("button", name="Play Low").click()
    wait_until(page, "document.querySelector('.compare [role=slider]').ariaValueNow > 0")
    assert page.complaints == []


def test_a_missing_sound_is_said_in_words(open_page, copied):
    for path in copied.glob("offline/*"):
        path.unlink()
    page = open_page(copied)
    begin(page)
    page.keyboard.press("a")
    dialog(page).locator(".console + [role=alert]").wait_for()
    assert "This sound can not be loaded" in dialog(page).get_by_role("alert").text_content()


def test_x_is_fair(scripts):
    draws = scripts.evaluate("Array.from({ length: 20000 }, chance.draw)")
    assert set(draws) == {0, 1}
    assert binomtest(sum(draws), len(draws)).pvalue > 1e-6
    changes = sum(a != b for a, b in zip(draws, draws[1:], strict=False))
    assert binomtest(changes, len(draws) - 1).pvalue > 1e-6


@pytest.mark.parametrize("n", [1, 8, 12, 16, 20])
def test_the_p_value_is_the_exact_binomial_one(scripts, n):
    values = scripts.evaluate(
        "(n) => Array.from({ length: n + 1 }, (_, correct) => chance.tail(correct, n))", n
    )
    expected = [binomtest(correct, n, alternative="greater").pvalue for correct in range(n + 1)]
    assert values == pytest.approx(expected, rel=1e-12)
    assert values[0] == 1 and values[n] == 2.0**-n
    assert values[n // 2] == pytest.approx(binom.sf(n // 2 - 1, n, 0.5), rel=1e-12)


@pytest.mark.parametrize(("correct", "heard"), [(9, False), (10, True), (12, True), (0, False)])
def test_the_verdict_says_what_that_means(scripts, correct, heard):
    words = scripts.evaluate("(correct) => questions.verdict(correct, 12)", correct)
    assert ("a difference was most likely heard" in words) == heard
    assert ("no evidence" in words) != heard


def test_targets_are_large_enough_for_a_thumb_and_nothing_sticks_out(open_page):
    page = open_page(viewport={"width": 390, "height": 700}, has_touch=True, is_mobile=True)

    def small():
        sizes = page.evaluate("""() => {
          const targets = document.querySelectorAll('dialog :is(button, select, .wave)');
          return [...targets].filter((x) => x.offsetParent)
            .map((x) => [x.textContent, x.offsetWidth, x.offsetHeight]);
        }""")
        assert len(sizes) >= 2
        return [size for size in sizes if min(size[1:]) < 44]

    begin(page, 8, [0] * 9)
    assert small() == []
    assert page.evaluate("document.querySelector('dialog').scrollWidth <= 390")
    for _ in range(8):
        press(page, "X")
        press(page, "X is A")
    assert small() == []


def test_by_default_it_asks_which_of_two_hidden_versions_is_nearer_to_the_original(open_page):
    page = open_page(permissions=["clipboard-read", "clipboard-write"])
    page.evaluate(FIXED, [0, *[0, 1, 1, 0, 0]])
    page.get_by_role("button", name="Blind test").first.click()
    assert dialog(page).get_by_label("Trials").input_value() == "5"
    for side in ("One", "Other"):
        options = dialog(page).get_by_role("combobox", name=side, exact=True).locator("option")
        assert options.all_text_contents() == ["High", "Short and loud"]  # Low is the original
    press(page, "Begin")
    assert "Low" not in dialog(page).text_content()
    assert "in either order: High; Short and loud" in dialog(page).text_content()
    for i, high in enumerate("ABBAB"):  # the last answer is for the other one
        assert heading(page) == f"Trial {i + 1} of 5"
        press(page, "Original")
        press(page, "A")
        assert dialog(page).get_by_role("button", name="A is nearer").is_disabled()
        press(page, "B")
        press(page, f"{high} is nearer")
    assert heading(page) == "High: nearer in 4 of 5"
    assert "80 % of answers, 95 % interval 28 to 99 %" in dialog(page).text_content()
    assert "does not settle which is nearer. Even 5 of 5 would not" in dialog(page).text_content()
    press(page, "Copy link")
    dialog(page).get_by_role("button", name="Copied").wait_for()
    link = page.evaluate("navigator.clipboard.readText()")
    assert link.endswith("small.html#clip=one.two-tones&blind=nearer,2,3,4,5")


def test_what_is_hidden_is_heard_at_the_same_position_equally_loud_and_as_drawn(page):
    page.evaluate(WATCH)
    begin(page, 5, [1], NEARER)
    matched = page.evaluate(MATCHED.replace("slice(0, 2)", "slice(0, 3)"))
    dialog(page).get_by_role("slider").focus()
    page.keyboard.press("Shift+End")  # in a loop of the whole, the test has time
    for key, expected in (("o", 0), ("a", 2), ("b", 1)):
        page.keyboard.press(key)
        wait_until(page, "gains.length > 0")
        wait_for_levels(page, [matched[i] if i == expected else 0 for i in range(3)], "gains")
    assert page.evaluate("gains.length") == 3


def test_nothing_in_the_page_tells_which_version_is_a(open_page):
    seen = []
    for coin in (0, 1):
        page = open_page()
        begin(page, 5, [coin] * 5, NEARER)
        seen.append(states_of(page, "oabao"))
    assert seen[0] == seen[1]


def test_a_linked_result_is_shown_with_its_interval_and_leads_to_the_same_test(open_page):
    page = open_page(hash="#clip=one.two-tones&blind=nearer,3,2,2,10", near=False)
    shown = page.locator(".compare").first.locator(".linked")
    shown.wait_for()
    text = shown.text_content()
    assert "by whoever shared this link. High: nearer in 8 of 10." in text
    assert "95 % interval 44 to 97 %" in text and "does not settle" in text
    assert "Even" not in text  # ten of ten would
    shown.get_by_role("button", name="Take the same test").click()
    chosen = dialog(page).locator("option:checked").all_text_contents()
    assert chosen == [NEARER, "Short and loud", "High", "10"]
    assert page.complaints == []


@pytest.mark.parametrize(
    "text",
    [
        *("nearer,1,2,3,5", "nearer,2,2,3,5", "nearer,2,4,3,5", "nearer,2,3,6,5", "nearer,2,3,3,4"),
        *("nearer,2,3,3", "nearer,2,3,3,5,1", "toString,2,3,3,5"),
        *("abx,0,1,2,8", "<b>", "abx,1,2,-1,8"),
    ],
)
def test_a_linked_result_that_can_not_be_is_refused_in_words(open_page, text):
    page = open_page(hash=f"#clip=one.two-tones&blind={text}", near=False)
    shown = page.locator(".compare").first.locator(".linked")
    shown.wait_for()
    assert "that this comparison can not have" in shown.text_content()
    assert page.locator(".linked *").count() == 0 and page.complaints == []


@pytest.mark.parametrize("n", [5, 8, 20])
def test_the_interval_is_that_of_clopper_and_pearson(scripts, n):
    for hits in range(n + 1):
        expected = binomtest(hits, n).proportion_ci(method="exact")
        found = scripts.evaluate("([hits, n]) => chance.interval(hits, n)", [hits, n])
        assert found == pytest.approx([expected.low, expected.high], abs=1e-9)


def test_a_difference_is_never_asked_about(open_page, build_pages):
    page = open_page(build_pages("alone"), "alone.html")
    page.get_by_role("button", name="Blind test").first.click()
    for question, n in ((NEARER, 4), (ABX, 5)):
        ask(page, question)
        options = dialog(page).locator("label").nth(1).locator("option").all_text_contents()
        assert len(options) == n and not [name for name in options if "Method 5" in name]


def test_of_two_versions_only_a_difference_can_be_asked(open_page, build_pages):
    page = open_page(build_pages("rates"), "rates.html")
    page.get_by_role("button", name="Blind test").first.click()
    assert dialog(page).get_by_label("Question").count() == 0
    assert dialog(page).get_by_role("combobox", name="B", exact=True).count() == 1
