"""A small article

With everything that a page can hold.
"""

# %% tags=["hide"]
import numpy as np

from report import (
    Artifact,
    BibTeX,
    Compare,
    Data,
    Decomposition,
    EventRoll,
    Film,
    FilmStrip,
    Grid,
    Image,
    Labels,
    Mark,
    Picture,
    Player,
    Sound,
    Table,
    conjure,
    mix,
)

RATE = 8000
CAPTION = (
    "What is left of it, step by step, as one event after the other is taken off. All are tones."
)
RNG = np.random.default_rng(5)


@conjure
def tone(pitch: float, seconds: float, level: float = 0.3) -> Sound:
    time = np.arange(int(RATE * seconds)) / RATE
    return Sound(level * np.sin(2 * np.pi * pitch * time) * np.exp(-time), RATE)


@conjure
def stripes(n: int) -> Picture:
    return Picture(
        np.tile(np.arange(n) % 2 * 255, (40, 1)).astype(np.uint8), f"{n} stripes", up={"1 kHz": 0.5}
    )


@conjure
def film() -> Film:
    return Film(
        np.arange(10, dtype=np.uint8)[:, None, None].repeat(40, 1).repeat(80, 2) * 25,
        1.2,
        "It brightens",
    )


@conjure
def summed(sounds: list[Artifact], starts: list[int], seconds: float) -> Sound:
    samples = [sound.value.samples for sound in sounds]
    return Sound(mix(samples, starts, [4096] * len(sounds), int(RATE * seconds)), RATE)


@conjure
def choices(
    sets: dict[str, list[Artifact]],
    steps: dict[str, list[list[Artifact | None]]],
    looks: list[tuple[Artifact, float, str, str]],
) -> Data:
    def name(sound):
        return sound and sound.sha256

    return Data(
        {
            "sets": {kind: [name(sound) for sound in sounds] for kind, sounds in sets.items()},
            "steps": {
                event: [[name(sound) for sound in row] for row in rows]
                for event, rows in steps.items()
            },
            "looks": {
                sound.sha256: {"y": y, "colour": colour, "row": row}
                for sound, y, colour, row in looks
            },
        }
    )


# %% [markdown]
# ## One
# A value of {{ 1 / 3:.3f }}.

# %%
[
    Player(tone(440.0, 2.0), "Long tone", "A note.", stripes(200)),
    Player(tone(330.0, 0.5), 'A {b} \\ "c" % # & _ é $ ^ ~ </script><img src=x onerror=alert(1)>'),
    Player(
        tone(445.0, 2.0),
        "Labelled tone",
        "",
        stripes(100),
        [
            Labels("Words", [(0.1, 0.5, "one"), (0.6, None, "two"), (1.2, 1.5, "<three>")]),
            Labels("Onsets", [(0.1, None, ""), (0.6, None, ""), (0.65, None, ""), (1.2, None, "")]),
        ],
    ),
]

# %%
low, high, short = tone(220.0, 1.0), tone(880.0, 1.0, 0.05), tone(440.0, 0.6, 0.9)
[
    Compare(
        "Two tones.",
        [("Low", low, stripes(80)), ("High", high, stripes(60)), ("Short and loud", short, None)],
    ),
    Compare("Two levels.", [("Loud", low, None), ("Soft", high, None)], plain=True),
    Grid(
        "Items and systems.",
        [
            ("First", [low, high, short]),
            ("Second", [tone(300.0, 1.5), None, tone(500.0, 1.5, 0.1)]),
            ("Third", [tone(310.0, 1.5), tone(410.0, 1.5), tone(510.0, 1.5)]),
        ],
        ["Original", "Codec", "A system with a long name"],
        "A note.",
    ),
]

# %% [markdown]
# ## Two
# |   | one |
# |---|-----|
# | a | 1   |

# %%
[
    Image(stripes(900), "Many stripes."),
    FilmStrip(film(), stripes(80), "A film."),
    Table(["A long heading"] * 8, [["some words"] * 8], "A wide table."),
    Table(["", "One", "Two"], [["Three", 1, 2]], "A table with a corner."),
    BibTeX("@misc{x,\n title = {T}\n}"),
]

# %% [markdown]
# ## Events

# %%
events = [tone(200.0 + 50 * i, 0.4, 0.1) for i in range(9)]
starts = [RATE * (i % 3) + 400 for i in range(9)]
others = [tone(900.0 + 50 * i, 0.3, 0.1) for i in range(9)]
steps = {
    "4": [
        [
            tone(350.0, 0.4, 0.1),
            tone(375.0, 0.4, 0.1),
            None,
            tone(425.0, 0.4, 0.1),
            tone(450.0, 0.4, 0.1),
        ],
        [
            tone(400.0, 0.2, 0.1),
            tone(400.0, 0.3, 0.1),
            None,
            tone(400.0, 0.5, 0.1),
            tone(400.0, 0.6, 0.1),
        ],
    ]
}
looks = [(sound, 1 - i / 8, f"#{25 * i:02x}0080", "gAAA" * 9) for i, sound in enumerate(others)]
looks.append((steps["4"][0][0], 0.9, "#123456", "AACA" * 9))
marks = [Mark(starts[i], i // 3 / 2, 0.3, "#4477aa", events[i]) for i in range(9)]
roll = EventRoll(
    "Nine events.",
    marks,
    "row",
    summed(events, starts, 3.0),
    stripes(9),
    choices({"higher tones": others}, steps, looks),
    [*others, *(sound for rows in steps.values() for row in rows for sound in row if sound)],
)
[Decomposition(film(), stripes(80), roll, tone(500.0, 3.0), CAPTION), roll]

# %% [markdown]
# ```python
# a_line_of_code_that_is_much_longer_than_a_telephone_is_wide = "it has to scroll in its own box"
# ```
