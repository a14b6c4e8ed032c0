"""Listening tests: each kind taken as listeners take it, and nothing that tells them too much."""

import json
import re
import shutil
from collections import Counter
from fractions import Fraction
from itertools import permutations

import numpy as np
import pytest

from report.listening.answers import check_answers, read_answers
from report.listening.design import read_design
from tests.browser.conftest import wait_until
from tests.browser.test_everywhere import WCAG

SEED = "0123456789abcdef"
KINDS = ["mushra", "preference", "abx", "acr", "dcr"]
ADDRESS = "https://answers.invalid/tones"
HEARD = "document.querySelectorAll('dialog .button.heard').length >= %d"
# Facts of a test of the page, as its scripts read them.
DESIGN = "JSON.parse(document.querySelectorAll('script.design')[%d].textContent)"
# How many gain nodes play each file: the sounds of a trial in the order of its buttons.
WATCH = """() => {
  window.opened = [];
  const connect = AudioBufferSourceNode.prototype.connect;
  AudioBufferSourceNode.prototype.connect = function (node, ...rest) {
    opened.push([this.buffer.getChannelData(0).reduce((sum, x) => sum + x * x, 0), node.gain]);
    return connect.call(this, node, ...rest);
  };
}"""


@pytest.fixture(scope="session")
def asks(build_pages):
    """The site of asks.py: a test of each kind."""
    return build_pages("asks")


@pytest.fixture
def ask(open_page, asks):
    def ask(folder=None, hash=f"?seed={SEED}", **options):
        page = open_page(folder or asks, "asks.html", hash, **options)
        page.set_default_timeout(15_000)
        return page

    return ask


def dialog(page):
    return page.get_by_role("dialog", name=re.compile("^Listening test"))


def heading(page):
    return dialog(page).get_by_role("heading").text_content()


def take_part(page, kind):
    page.locator("dialog").wait_for(state="detached")  # of a test before: it goes after its close
    page.locator(".listening").nth(KINDS.index(kind)).get_by_role("button").first.press("Enter")
    dialog(page).wait_for()


def pass_preliminaries(page, kind):
    """By keys alone, without headphones."""
    if kind == "mushra":
        page.keyboard.press("Tab")  # from the heading to the consent
        page.keyboard.press("Space")
    page.keyboard.press("Enter")
    set_volume(page)
    if kind == "mushra":
        assert heading(page) == "Headphones, 1 of 6"
        dialog(page).get_by_role("button", name="I have no headphones").press("Enter")


def set_volume(page):
    """It has to be heard: the first Enter plays it."""
    assert heading(page) == "Volume"
    page.keyboard.press("Enter")
    assert heading(page) == "Volume"
    assert dialog(page).get_by_role("status").text_content() == "Listen to it first."
    wait_until(page, "document.querySelector('dialog [role=slider]').ariaValueNow > 0")
    page.keyboard.press("Enter")


def listen(page):
    """Press the letter of each sound, and wait until it is heard."""
    names = page.evaluate(
        "[...document.querySelectorAll('dialog [aria-pressed]')].map((x) => x.textContent)"
    )
    for n, name in enumerate(names, start=1):
        page.keyboard.press(name[0].lower())
        wait_until(page, HEARD % n)
    return [name for name in names if name != "Reference"]


def answer_by_keys(page, kind):
    names = listen(page)
    if kind == "mushra":
        for n, name in enumerate(names):
            page.keyboard.press(name.lower())
            page.keyboard.press(["Home", "End", "ArrowRight", "PageUp", "ArrowLeft"][n % 5])
    else:
        page.keyboard.press("2")
    page.keyboard.press("Enter")


def answer_all(page, kind, answer=answer_by_keys):
    """Returns the headings of the trials."""
    seen = []
    while heading(page) != "Thank you":
        seen.append(heading(page))
        answer(page, kind)
        assert len(seen) < 20 and heading(page) != seen[-1]
    return seen


def answers_of(page):
    return json.loads(dialog(page).get_by_label("Answers").input_value())


def accepted(page, kind):
    """The answers on the page, once the program that collects them has taken them."""
    text = dialog(page).get_by_label("Answers").input_value()
    answers = read_answers(text.encode())
    index = KINDS.index(kind)
    check_answers(answers, read_design(page.evaluate(DESIGN % index)))
    return answers


def loaded(page):
    return [url for url in page.requested if "/media/" in url or "/offline/" in url]


@pytest.mark.parametrize("kind", KINDS)
def test_a_whole_test_is_taken_by_keys_alone(ask, kind):
    page = ask()
    take_part(page, kind)
    pass_preliminaries(page, kind)
    seen = answer_all(page, kind)
    counts = {"mushra": 3, "preference": 3, "abx": 2, "acr": 3, "dcr": 4}  # with repeated ones
    n = counts[kind]
    training = ["Training 1 of 1"] if kind == "mushra" else []
    assert seen == [*training, *(f"Trial {i + 1} of {n}" for i in range(n))]
    answers = accepted(page, kind)
    assert answers.seed == SEED and answers.page == "asks.html"
    assert answers.checks.headphones is None and answers.checks.level
    parts = [trial.part for trial in answers.trials]
    assert parts.count("check") == (kind != "abx") and parts.count("training") == len(training)
    for trial in answers.trials:
        assert all(trial.plays[sound] >= 1 for sound in trial.order[kind == "dcr" :])
    assert page.complaints == []


def test_answers_say_what_was_given(ask):
    page = ask()
    take_part(page, "mushra")
    pass_preliminaries(page, "mushra")
    answer_all(page, "mushra")
    for trial in accepted(page, "mushra").trials:
        assert [trial.scores[sound] for sound in trial.order] == [0, 100, 51, 60, 49]
    page.keyboard.press("Escape")
    take_part(page, "preference")
    pass_preliminaries(page, "preference")
    for key in "123":
        listen(page)
        page.keyboard.press(key)
        page.keyboard.press("Enter")
    trials = accepted(page, "preference").trials
    assert [trial.choice for trial in trials] == [trials[0].order[0], None, trials[2].order[1]]


def test_a_whole_test_is_taken_by_touch_on_a_telephone(ask):
    page = ask(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page.locator(".listening").first.get_by_role("button").tap()
    dialog(page).get_by_role("checkbox").tap()
    dialog(page).get_by_role("button", name="Begin").tap()
    dialog(page).get_by_role("button", name="Play").tap()
    wait_until(page, "document.querySelector('dialog [role=slider]').ariaValueNow > 0")
    dialog(page).get_by_role("button", name="It is comfortable").tap()
    dialog(page).get_by_role("button", name="I have no headphones").tap()

    def answer(page, kind):
        sizes = page.evaluate("""[...document.querySelectorAll('dialog :is(button, input)')]
          .map((x) => [x.textContent, x.offsetWidth, x.offsetHeight])
          .filter(([, width, height]) => Math.min(width, height) < 44)""")
        assert [size for size in sizes if not size[0].startswith("Loop")] == []
        assert page.evaluate("document.querySelector('dialog').scrollWidth <= 390")
        buttons = dialog(page).locator("[aria-pressed]")
        for n in range(buttons.count()):
            buttons.nth(n).tap()
            wait_until(page, HEARD % (n + 1))
        for slider in dialog(page).locator("input").all():
            slider.scroll_into_view_if_needed()
            box = slider.bounding_box()
            page.touchscreen.tap(box["x"] + 0.9 * box["width"], box["y"] + box["height"] / 2)
        dialog(page).get_by_role("button", name="Next").tap()

    answer_all(page, "mushra", answer)
    answers = accepted(page, "mushra")
    assert answers.checks.level
    assert all(85 < score < 95 for trial in answers.trials for score in trial.scores.values())


def test_two_runs_with_one_seed_ask_the_same_and_another_seed_something_else(ask):
    asked = []
    for hash in (f"?seed={SEED}", f"#seed={SEED.upper()}", "?seed=fedcba98"):
        page = ask(hash=hash)
        plans = page.evaluate(
            """(seed) => [...document.querySelectorAll('script.design')]
              .map(({ textContent }) => course.plan(JSON.parse(textContent), seed))""",
            hash[6:].lower(),
        )
        take_part(page, "preference")
        pass_preliminaries(page, "preference")
        answer_all(page, "preference")
        taken = answers_of(page)
        asked.append((plans, [(trial["item"], trial["order"]) for trial in taken["trials"]]))
        expected = [
            (trial["item"]["name"], [trial["item"]["sounds"][key] for key in trial["keys"]])
            for trial in plans[1]["trials"]
        ]
        assert asked[-1][1] == expected
    assert asked[0] == asked[1] != asked[2]


def test_without_a_seed_in_the_address_each_run_has_its_own(ask):
    seeds = set()
    for _ in range(2):
        page = ask(hash="")
        take_part(page, "abx")
        pass_preliminaries(page, "abx")
        answer_all(page, "abx")
        seeds.add(accepted(page, "abx").seed)
    assert len(seeds) == 2 and all(len(seed) == 16 for seed in seeds)


@pytest.mark.parametrize("seed", ["abc", "0" * 33, "xyzxyzxyz"])
def test_a_wrong_seed_is_said_in_words(ask, seed):
    page = ask(hash=f"?seed={seed}")
    page.locator(".listening").first.get_by_role("button").click()
    assert "is no number of 8 to 32 hexadecimal digits" in page.get_by_role("alert").text_content()
    assert dialog(page).count() == 0


def split_mix(seed):
    """SplitMix64 as its authors wrote it, for draws as seeded.js makes them."""
    mask = 2**64 - 1
    state = (int(seed, 16) ^ int(seed, 16) >> 64) & mask
    while True:
        state = (state + 0x9E3779B97F4A7C15) & mask
        bits = state
        bits = ((bits ^ bits >> 30) * 0xBF58476D1CE4E5B9) & mask
        bits = ((bits ^ bits >> 27) * 0x94D049BB133111EB) & mask
        yield bits ^ bits >> 31


@pytest.mark.parametrize("seed", ["00000000", SEED, "f" * 32])
def test_draws_are_those_of_the_documented_generator(scripts, seed):
    draws = scripts.evaluate(
        "(seed) => { const draw = seeded.make(seed); return Array.from({length: 50}, "
        "(_, i) => draw.below(i + 1)); }",
        seed,
    )
    bits = split_mix(seed)
    assert draws == [int(Fraction(next(bits), 2**64) * (i + 1)) for i in range(50)]


def test_all_orders_and_items_come_equally_often(scripts):
    """Each of 6 orders of three, in 6000 shuffles: 1000 with a deviation of 29."""
    orders = scripts.evaluate("""() => Array.from({ length: 6000 }, (_, i) =>
      seeded.make((i + 1e9).toString(16)).shuffled(['a', 'b', 'c']).join(''))""")
    counts = {order: orders.count(order) for order in set(orders)}
    assert len(counts) == 6 and all(abs(n - 1000) < 6 * 29 for n in counts.values())


def test_in_a_preference_test_each_system_is_a_as_often_as_b(scripts):
    systems = ["one", "two", "three"]
    plan = scripts.evaluate(
        "(design) => course.plan(design, '0123abcd')",
        plain_design("preference", trials=4, systems=systems),
    )
    orders = Counter((trial["item"]["name"], *trial["keys"]) for trial in plan["trials"])
    assert orders == dict.fromkeys(
        [(item, *pair) for item in "ab" for pair in permutations(systems, 2)], 2
    )


def plain_design(kind, **other):
    items = [
        {"name": name, "sounds": {"one": name + "1", "two": name + "2"}, "gains": {}}
        for name in ("a", "b")
    ]
    return {
        "kind": kind,
        "systems": ["one", "two"],
        "items": items,
        "roles": {},
        "each": 2,
        "trials": 1,
        "training": [],
        "checks": {"headphones": False, "repeated": 0},
    } | other


def test_x_is_a_or_b_equally_often(scripts):
    plans = scripts.evaluate(
        """(design) => Array.from({ length: 500 }, (_, i) => course
          .plan(design, (i + 1e9).toString(16)).trials.map(({ x, keys }) => keys.indexOf(x)))""",
        plain_design("abx", trials=2),
    )
    draws = [x for plan in plans for x in plan]
    assert set(draws) == {0, 1} and abs(sum(draws) - len(draws) / 2) < 6 * np.sqrt(len(draws)) / 2


@pytest.mark.parametrize("kind", ["mushra", "abx", "dcr"])
def test_nothing_in_the_window_tells_which_sound_is_which(ask, kind):
    """Elements, attributes and texts are the same for two seeds with other orders, wherever."""
    seen, orders = [], []
    for seed in ("11111111", "22222222", "33333333", "44444444"):
        page = ask(hash=f"?seed={seed}")
        design = page.evaluate(DESIGN % KINDS.index(kind))
        plan = page.evaluate("([design, seed]) => course.plan(design, seed)", [design, seed])
        trial = next(x for x in plan["trials"] if x["part"] != "training" or kind == "mushra")
        orders.append((trial["item"]["name"], trial["keys"], trial["x"]))
        take_part(page, kind)
        pass_preliminaries(page, kind)
        listen(page)
        dialog(page).locator(".play").click()  # at rest, so that states can be compared
        dialog(page).get_by_role("slider", name="Position in the sound").focus()
        page.keyboard.press("Home")
        state = dialog(page).evaluate("(dialog) => dialog.outerHTML")
        seen.append(re.sub(r' d="[^"]*"', "", state))
        shapes = re.findall(r' d="([^"]*)"', state)
        seen[-1] = (trial["item"]["name"], shapes, seen[-1])
    assert len({str(order) for order in orders}) > 1
    assert len({state for _, _, state in seen}) == 1
    for item in {name for name, _, _ in seen}:
        assert len({str(shapes) for name, shapes, _ in seen if name == item}) == 1
    html = seen[0][2]
    assert not re.search(r"[0-9a-f]{64}|coarse|fine|anchor|\.flac", html)


def test_the_sounds_of_a_trial_are_heard_as_loud_as_the_design_says_and_one_at_a_time(ask):
    page = ask()
    page.evaluate(WATCH)
    design = page.evaluate(DESIGN % 0)
    plan = page.evaluate("([design, seed]) => course.plan(design, seed)", [design, SEED])
    trial = plan["trials"][0]
    take_part(page, "mushra")
    pass_preliminaries(page, "mushra")
    page.evaluate("opened.length = 0")
    dialog(page).get_by_role("slider", name="Position in the sound").focus()
    page.keyboard.press("Shift+End")  # in a loop of the whole, the test has time
    for n, key in enumerate(["reference", *trial["keys"]]):
        page.keyboard.press("rabcde"[n])
        wait_until(page, HEARD % (n + 1))
        gain = 10 ** (trial["item"]["gains"][key] / 20)
        wait_until(
            page,
            f"opened.length === 6 && opened.every(([, gain], i) => "
            f"Math.abs(gain.value - (i === {n} ? {gain} : 0)) < 1e-4)",
        )
    energies = page.evaluate("opened.map(([energy]) => energy)")
    assert energies[0] == energies[1 + trial["keys"].index("reference")]
    assert len({round(energy, 3) for energy in energies}) == 5


def test_an_answer_is_missing_until_all_is_heard_and_judged(ask):
    page = ask()
    take_part(page, "mushra")
    page.keyboard.press("Enter")
    status = dialog(page).get_by_role("status")
    assert status.text_content() == "To take part, agree to the line above."
    page.keyboard.press("Space")
    assert status.text_content() == ""
    page.keyboard.press("Enter")
    set_volume(page)
    dialog(page).get_by_role("button", name="I have no headphones").press("Enter")
    page.keyboard.press("Enter")
    assert status.text_content() == "Listen to Reference, A, B, C, D, E first."
    listen(page)
    page.keyboard.press("Enter")
    assert status.text_content() == "Rate A, B, C, D, E."
    assert page.evaluate("document.activeElement.ariaLabel") == "Rating of A"
    page.keyboard.press("ArrowUp")
    assert page.evaluate("document.activeElement.ariaValueText") == "51, Fair"
    page.keyboard.press("Enter")
    assert status.text_content() == "Rate B, C, D, E." and heading(page) == "Training 1 of 1"


def test_nothing_is_asked_of_the_network_before_send_and_then_only_the_address(ask, asks, serve):
    page = ask(serve(asks))
    sent = []

    def receive(route):
        allowed = {"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Headers": "*"}
        if route.request.method == "POST":
            sent.append(route.request)
        full = {"status": 507, "body": '{"error": "the folder is full"}'}
        route.fulfill(**([{"status": 503}, full, {"status": 201}][len(sent) - 1]), headers=allowed)

    page.route(re.compile("^https:"), receive)
    assert loaded(page) == []
    take_part(page, "mushra")
    assert loaded(page) == []
    pass_preliminaries(page, "mushra")
    answer_all(page, "mushra")
    origin = page.url.partition("/asks")[0]
    assert loaded(page) and all(url.startswith(origin) for url in page.requested) and not sent
    for words in ("not taken: 503.", "not taken: the folder is full. Try again", "have arrived"):
        dialog(page).get_by_role("button", name="Send").click()
        said = "document.querySelector('dialog [role=status]').textContent"
        wait_until(page, f"{said}.includes({words!r})")
    assert [request.url for request in sent] == [ADDRESS] * 3
    assert json.loads(sent[2].post_data) == answers_of(page)
    assert answers_of(page)["token"] == "shared"
    headers = sent[2].headers
    assert "referer" not in headers and "cookie" not in headers
    assert dialog(page).get_by_role("button", name="Sent").is_disabled()
    assert {url for url in page.requested if not url.startswith(origin)} == {ADDRESS}


def test_the_policy_keeps_scripts_from_any_other_address(ask, asks, serve):
    page = ask(serve(asks))
    page.route(re.compile("^https:"), lambda route: route.fulfill(status=200))
    reach = "(url) => fetch(url, { mode: 'no-cors' }).then(() => true, () => false)"
    assert page.evaluate(reach, ADDRESS)
    for address in ("https://answers.invalid/other", "https://elsewhere.invalid/tones"):
        assert not page.evaluate(reach, address)
    assert page.complaints
    assert all("Content Security Policy" in text for text in page.complaints)


def test_answers_are_downloaded_as_a_file(ask):
    page = ask()
    take_part(page, "acr")
    pass_preliminaries(page, "acr")
    answer_all(page, "acr")
    assert dialog(page).get_by_role("button", name="Send").count() == 0
    with page.expect_download() as download:
        dialog(page).get_by_role("button", name="Download").click()
    answers = answers_of(page)
    assert json.loads(download.value.path().read_text()) == answers
    assert download.value.suggested_filename == (
        f"{answers['test']}-{answers['listener'][:8]}.json"
    )
    assert not re.search(r"Mozilla|Chrome|20\d\d-\d\d", json.dumps(answers))


def test_a_test_that_was_closed_goes_on_where_it_was_left(ask):
    page = ask()
    take_part(page, "acr")
    pass_preliminaries(page, "acr")
    answer_by_keys(page, "acr")
    assert heading(page) == "Trial 2 of 3"
    page.keyboard.press("s")
    wait_until(page, "document.querySelector('dialog .playing')")
    page.keyboard.press("Escape")
    wait_until(page, "!document.querySelector('dialog')")
    page.get_by_role("button", name="Go on with the test").press("Enter")
    assert heading(page) == "Trial 2 of 3"
    assert dialog(page).locator(".playing").count() == 0
    answer_all(page, "acr")
    assert len(accepted(page, "acr").trials) == 3


def test_the_volume_and_speed_of_the_page_do_not_reach_into_the_test(ask):
    page = ask()
    page.evaluate("settings.set('speed', 2); settings.set('volume', 0.2)")
    take_part(page, "acr")
    assert page.evaluate("[settings.speed(), settings.volume()]") == [1, 1]
    page.keyboard.press("Escape")
    wait_until(page, "!document.querySelector('dialog')")
    assert page.evaluate("[settings.speed(), settings.volume()]") == [2, 0.2]


def test_the_headphone_check_counts_who_finds_the_softest_tone(ask):
    page = ask()
    design = page.evaluate(DESIGN % 0)
    plan = page.evaluate("([design, seed]) => course.plan(design, seed)", [design, SEED])
    take_part(page, "mushra")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    set_volume(page)
    for n, tones in enumerate(plan["rounds"]):
        assert heading(page) == f"Headphones, {n + 1} of 6"
        right = tones.index("soft")
        page.keyboard.press(str((right if n else (right + 1) % 3) + 1))  # the first is wrong
        page.keyboard.press("Enter")
    answer_all(page, "mushra")
    headphones = accepted(page, "mushra").checks.headphones
    assert (headphones.right, headphones.of) == (5, 6)


def test_one_tone_is_6_db_softer_and_one_cancels_itself_by_loudspeakers(scripts):
    samples = scripts.evaluate("Array.from(tones.samples(['plain', 'opposite', 'soft']))")
    stereo = np.reshape(samples, (-1, 2)) / 32768
    step = 66_150
    plain, opposite, soft = (stereo[i * step : i * step + 44_100] for i in range(3))
    level = np.sqrt(np.mean(plain**2, axis=0))
    assert 20 * np.log10(level / np.sqrt(np.mean(soft**2, axis=0))) == pytest.approx(6, abs=0.1)
    assert np.sqrt(np.mean(opposite**2, axis=0)) == pytest.approx(level, rel=1e-3)
    assert np.abs(opposite.sum(axis=1)).max() == 0 and np.all(plain[:, 0] == plain[:, 1])
    spectrum = np.abs(np.fft.rfft(plain[:, 0]))
    assert np.argmax(spectrum) == 200
    assert np.abs(plain[[0, -1]]).max() < 1e-3  # no click


def test_without_scripts_it_says_what_it_needs_and_no_sound_is_told_apart(ask):
    page = ask(java_script_enabled=False)
    figure = page.locator(".listening").first
    assert "Taking part needs the scripts" in figure.text_content()
    assert figure.locator(".question").text_content().startswith("How good is each sound")
    assert figure.locator("audio, a, button").count() == 0
    assert not re.search("coarse|fine", figure.inner_text())


def test_space_plays_and_pauses_wherever_a_slider_or_an_answer_has_the_focus(ask):
    for kind, key in (("mushra", "a"), ("dcr", "1")):
        page = ask()
        take_part(page, kind)
        pass_preliminaries(page, kind)
        page.keyboard.press(key)  # leads to a slider or to an answer
        if kind == "mushra":
            page.keyboard.press("Space")
        assert page.evaluate("document.activeElement.tagName") == "INPUT"
        wait_until(page, "!document.querySelector('dialog .playing')")
        page.keyboard.press("Space")
        wait_until(page, "document.querySelector('dialog .playing')")


@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_moves_when_the_button_comes(ask, asks, serve, width):
    page = ask(near=False, folder=asks, viewport={"width": width, "height": 800})
    held = []
    page.route(re.compile("listening.js"), lambda route: held.append(route))
    page.goto(f"{serve(asks)}/asks.html", wait_until="commit")  # its load event waits too
    place = "document.querySelector('.listening figcaption').getBoundingClientRect().top"
    wait_until(page, "document.querySelector('script[src$=\"listening.js\"]')")
    before = page.evaluate(place)
    held[0].continue_()
    page.get_by_role("button", name="Take part").first.wait_for()
    assert page.evaluate(place) == before


def test_a_missing_sound_is_said_in_words(ask, asks, tmp_path):
    copy = shutil.copytree(asks, tmp_path / "site")
    for path in copy.glob("offline/*"):
        path.unlink()
    page = ask(copy)
    take_part(page, "acr")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")  # plays the sound to set the volume by
    dialog(page).get_by_role("alert").wait_for()
    assert "This sound can not be loaded" in dialog(page).get_by_role("alert").text_content()


def test_a_key_that_is_held_skips_nothing(ask):
    page = ask()
    take_part(page, "acr")
    for _ in range(5):
        page.keyboard.down("Enter")
    assert heading(page) == "Volume"
    assert dialog(page).get_by_role("status").text_content() == ""


@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_no_violation_of_wcag_in_any_step(ask, asks, serve, width):
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright",
        reason="needs axe: pip install axe-playwright-python",
    )
    page = ask(serve(asks), viewport={"width": width, "height": 800}, bypass_csp=True)

    def check():
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            options = {"runOnly": {"type": "tag", "values": WCAG}}
            violations = axe.Axe().run(page, options=options).response["violations"]
            found = [(x["id"], [node["html"][:150] for node in x["nodes"]]) for x in violations]
            assert (heading(page), scheme, found) == (heading(page), scheme, [])

    take_part(page, "mushra")
    check()
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    check()
    set_volume(page)
    check()
    dialog(page).get_by_role("button", name="I have no headphones").press("Enter")
    check()
    answer_all(page, "mushra")
    check()
    page.keyboard.press("Escape")
    take_part(page, "dcr")
    pass_preliminaries(page, "dcr")
    check()
