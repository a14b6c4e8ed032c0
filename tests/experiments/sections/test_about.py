"""The entry that readers copy to cite the articles is BibTeX that programs read, and the text on a
decoder says how pitches move.
"""

import pytest

from experiments.sections.about import TITLES, about_decoder, bibtex, see_also
from sparse_codec.config import CodecConfig, HarmonicDecoderConfig

FIELDS = {
    "author": "Vinyard, John",
    "title": "Toward a Sparse Interpretable Audio Codec",
    "year": "2025",
    "eprint": "2505.05654",
    "archivePrefix": "arXiv",
    "url": "https://blog.cochlea.xyz/sparse-interpretable-audio-codec-paper.html",
}


def test_pybtex_reads_the_entry():
    pybtex = pytest.importorskip("pybtex.database", reason="needs pybtex: pip install pybtex")
    entry = pybtex.parse_string(bibtex().text, "bibtex").entries["vinyard2025sparse"]
    assert entry.type == "misc" and str(entry.persons["author"][0]) == FIELDS["author"]
    assert dict(entry.fields) == {name: text for name, text in FIELDS.items() if name != "author"}


def test_bibtexparser_reads_the_entry():
    bibtexparser = pytest.importorskip(
        "bibtexparser", reason="needs bibtexparser: pip install bibtexparser"
    )
    library = bibtexparser.parse_string(bibtex().text)
    (entry,) = library.entries
    assert library.failed_blocks == [] and (entry.entry_type, entry.key) == (
        "misc",
        "vinyard2025sparse",
    )
    assert {field.key: field.value for field in entry.fields} == FIELDS


def test_other_articles_of_the_site_are_listed_in_a_sentence():
    def links(*names):
        return [f"[{TITLES[name]}]({name}.html)" for name in names]

    assert see_also("music", ["music"]).text == ""
    (speech,), (ablations,), (page,) = links("speech"), links("ablations"), links("listening")
    assert see_also("music", ["music", "speech"]).text == f"On this site too: {speech}."
    listed = see_also("music", list(TITLES)).text
    assert listed == f"On this site too: {speech}, {ablations} and {page}."


@pytest.mark.parametrize(
    ("sizes", "said"),
    [
        ({}, "The pitch stands still."),
        (
            {"vibrato": 0.5, "scoop": 1.0},
            "The pitch may swing around it by up to 0.5 semitone, as in a vibrato,"
            " and begin up to 1 semitone away and come to it at once.",
        ),
        ({"glide": 4.0}, "The pitch may glide by up to 4 semitones."),
    ],
)
def test_the_decoder_says_how_a_pitch_moves(sizes, said):
    config = CodecConfig(decoder=HarmonicDecoderConfig(**sizes))
    assert said in " ".join(about_decoder(config).text.split())
