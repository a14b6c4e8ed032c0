"""The figure of ratings shows what listeners answered, of these sounds and of no others."""

import json
import re
import shutil

import pytest

from report import FolderStore, MemoryStore, Ratings, build, use_store
from report.listening.analysis import analyse
from report.listening.collection import collect
from report.listening.design import digest
from report.site.verify import verify
from report.storage.folder import Folder
from tests.report.listening.asked import ARTICLE, designs_of
from tests.report.listening.listeners import clicker, encoded, honest, trial


@pytest.fixture
def folder(asking, tmp_path):
    """The article that asks, with a store in which all its sounds are."""
    shutil.copytree(asking, tmp_path / "asking")
    (tmp_path / "asking" / "answers").mkdir()
    return tmp_path / "asking"


def page(folder, article=ARTICLE) -> str:
    (folder / "tones.py").write_text(article)
    build([folder / "tones.py"], folder / "site", FolderStore(folder / "store"))
    assert not verify(Folder(folder / "site")).findings
    return (folder / "site" / "tones.html").read_text()


def figures(html: str) -> list[str]:
    return re.findall(r'<figure class="ratings.*?</figure>', html, re.DOTALL)


def words(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def give(folder, **files: bytes) -> None:
    for name, data in files.items():
        (folder / "answers" / f"{name}.json").write_bytes(data)


def test_without_answers_the_figure_says_that_none_are_in_and_leads_to_the_test(asking):
    html = (asking / "site" / "tones.html").read_text()
    mushra = designs_of(asking / "site")["mushra"]
    first, second = figures(html)
    assert "No ratings are in yet." in words(first) and f'href="#{mushra.id}"' in first
    assert "<svg" not in html.partition(first)[2].partition("</figure>")[0]
    assert "No ratings are in yet." in words(second)


def test_answers_become_a_figure_and_a_table_in_the_next_build(folder, capfd):
    design = designs_of(folder / "site")["mushra"]
    give(folder, **{f"honest-{n}": honest(design, n) for n in range(6)}, odd=clicker(design, 100))
    html = page(folder)
    assert "NotFollowed" not in capfd.readouterr().err  # all that the results depend on is seen
    first, second = figures(html)
    files = [(p.name, p.read_bytes()) for p in sorted((folder / "answers").iterdir())]
    sheets = collect(files, [design]).sheets[digest(design)]
    results = analyse(sheets, design)
    fine = next(e for e in results.estimates if e.key == "fine" and not e.item)
    said = words(first)
    assert "6 listeners count; 1 does not" in said
    assert f"{fine.mean:.1f}" in said and f"{fine.low:.1f} … {fine.high:.1f}" in said
    assert f'cx="{fine.mean:.1f}%"' in first
    assert f'x1="{fine.low:.1f}%" x2="{fine.high:.1f}%"' in first
    assert "odd.json : hidden reference below 90" in said and digest(design)[:16] in said
    assert "fine − coarse" in said and "low" in said and "high" in said
    assert "No ratings are in yet." in words(second)
    assert "7 answers to another test" in words(second)
    name = re.search(r'href="(media/[0-9a-f]{64}\.json)"', first)[1]
    kept = json.loads((folder / "site" / name).read_bytes())
    assert kept["groups"][digest(design)]["results"]["listeners"] == 6
    listeners = [json.loads(data)["listener"] for _, data in files]
    assert not any(one in text for one in listeners for text in (html, json.dumps(kept)))


def test_a_second_build_computes_nothing_and_one_more_listener_counts(folder):
    design = designs_of(folder / "site")["mushra"]
    give(folder, **{f"honest-{n}": honest(design, n) for n in range(5)})
    page(folder)
    again = build([folder / "tones.py"], folder / "site", FolderStore(folder / "store"))
    assert again.computed == 0
    give(folder, more=honest(design, 50))
    assert "6 listeners count" in words(page(folder))


def test_ratings_of_a_clip_that_changed_are_said_to_be_of_another_sound(folder):
    design = designs_of(folder / "site")["mushra"]
    give(folder, **{f"honest-{n}": honest(design, n) for n in range(5)})
    page(folder)
    html = page(folder, ARTICLE.replace('"fine": tone(pitch, 9)', '"fine": tone(pitch, 8)'))
    said = words(figures(html)[0])
    assert "Answers to an earlier design of this test, not shown: 5; they are of other" in said
    assert "sounds than those of &#39;low&#39; by &#39;fine&#39;; &#39;high&#39; by" in said
    assert "No ratings of this design are in yet." in said and "95 % interval" not in said
    give(folder, new=honest(designs_of(folder / "site")["mushra"], 9))
    html = page(folder, ARTICLE.replace('"fine": tone(pitch, 9)', '"fine": tone(pitch, 8)'))
    said = words(figures(html)[0])
    assert "1 listener counts" in said and "an earlier design of this test, not shown: 5" in said


def test_an_earlier_design_counts_if_the_author_vouches_for_it(folder):
    design = designs_of(folder / "site")["mushra"]
    give(folder, **{f"honest-{n}": honest(design, n) for n in range(5)})
    reworded = ARTICLE.replace("Answers are kept.", "Answers are kept for a year.")
    said = words(figures(page(folder, reworded))[0])
    assert "of the same sounds, so its question" in said and "No ratings" in said
    also = reworded.replace(
        'Ratings("answers", mushra)', f'Ratings("answers", mushra, also=["{digest(design)}"])'
    )
    said = words(figures(page(folder, also))[0])
    assert "5 listeners count" in said and "earlier design" not in said
    give(folder, new=honest(designs_of(folder / "site")["mushra"], 9))
    assert "6 listeners count" in words(figures(page(folder, also))[0])


def test_choices_have_shares_with_intervals(folder):
    design = designs_of(folder / "site")["preference"]
    for n in range(6):
        trials = []
        for item in design.items:
            order = [item.sounds["coarse"], item.sounds["fine"]]
            trials.append(trial(order, item.name, choice=order[1]))
        give(folder, **{f"one-{n}": encoded(design, trials, n)})
    said = words(figures(page(folder))[1])
    assert "fine, not coarse" in said and "12 of 12" in said and "100 %" in said
    assert "76 … 100" in said  # Wilson's interval, by the same formula as everywhere


def test_files_that_can_not_be_used_are_listed_by_name(folder):
    design = designs_of(folder / "site")["mushra"]
    fields = json.loads(honest(design, 3))
    fields["trials"][0]["scores"] = {}
    give(folder, good=honest(design, 1), broken=b"{", short=json.dumps(fields).encode())
    give(folder, same=honest(design, 1))
    said = words(figures(page(folder))[0])
    assert "1 listener counts" in said
    assert "broken.json : no JSON" in said
    assert "short.json : trials[0].scores has 0 scores, not 5" in said
    assert "same.json : the same listener has answered in another file" in said


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("answers", "a test"), "Ratings.test is the str 'a test'; give a Mushra"),
        (("gone.json", None), "Ratings.test is"),
    ],
)
def test_a_wrong_argument_is_a_clear_error(arguments, message):
    with pytest.raises(TypeError, match=message), use_store(MemoryStore()):
        Ratings(*arguments)


def test_a_file_that_is_not_there_is_an_error_and_a_folder_is_not(folder):
    missing = ARTICLE.replace('Ratings("answers", mushra)', 'Ratings("gone.json", mushra)')
    with pytest.raises(Exception, match="there is no file gone.json"):
        page(folder, missing)
    assert "No ratings are in yet" in page(
        folder, ARTICLE.replace('Ratings("answers", mushra)', 'Ratings("gone", mushra)')
    )
