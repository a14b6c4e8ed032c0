"""Figures of an evaluation as Markdown tables."""

from typing import Any

ORDERS = ("l2", "l1")
Table = tuple[list[str], list[list[str]]]  # headings, and rows of as many cells

FIGURES = {  # key, heading, decimals
    "l2_all": ("L2 removed", 2),
    "l1_all": ("L1 removed", 2),
    "sound_l2": ("L2, as sound", 2),
    "sound_l1": ("L1, as sound", 2),
    "gap_l2": ("Gap, L2", 3),
    "gap_l1": ("Gap, L1", 3),
    "sound_l2_1024": ("L2 at 1024", 2),
    "sound_l1_1024": ("L1 at 1024", 2),
    "sound_l2_4096": ("L2 at 4096", 2),
    "sound_l1_4096": ("L1 at 4096", 2),
    "distance": ("Distance, dB", 1),
    "log_mel": ("Log-mel, dB", 1),
    "opinion": ("Opinion", 2),
    "estoi": ("ESTOI", 2),
    "onset_f": ("Onsets", 2),
    "redundancy": ("Shared onsets", 2),
    "crowd": ("In one frame", 1),
    "harmful": ("Harmful", 2),
    "bits_per_second": ("Bits/s", 0),
    "seconds": ("Seconds", 1),
}


HEARD = tuple(FIGURES)[: tuple(FIGURES).index("onset_f")]  # the figures of sounds
FOUND = ("l2_all", "l1_all", *tuple(FIGURES)[len(HEARD) :])  # those of events and atoms


def many_atoms(group: dict[str, Any]) -> str:
    """Return the name of the matching pursuit with most atoms."""
    return next(name for name in group if name.startswith("matching pursuit, "))


def comparison_rows(group: dict[str, Any], wanted: tuple[str, ...] = tuple(FIGURES)) -> Table:
    """Return headings and a row for each method, of the wanted FIGURES of a group."""
    methods = {}
    for name, means in _methods(group).items():
        # the shares removed by the most events, under other keys than those at every count
        means = {f"{order}_all": means[order][-1] for order in ORDERS if order in means} | means
        if any(key in means for key in wanted):
            methods[name] = means
    keys = [key for key in wanted if any(key in means for means in methods.values())]
    rows = [[name, *(_cell(means, key) for key in keys)] for name, means in methods.items()]
    return ["Method", *(FIGURES[key][0] for key in keys)], rows


def count_rows(group: dict[str, Any], counts: tuple[int, ...]) -> Table:
    """Return headings and rows of the shares that each number of events removes."""
    rows = []
    for name, means in _methods(group).items():
        for order in ORDERS if "l2" in means else ():
            shares = (f"{share:.2f}" for share in means[order])
            rows.append([f"{name}, {order.upper()}", *shares])
    return ["Share removed with this many events", *map(str, counts)], rows


GROUP_FIGURES = {  # key, heading, decimals
    "sound_l2": ("L2, sound", 2),
    "sound_l1": ("L1, sound", 2),
    "log_mel": ("log-mel", 1),
    "opinion": ("opinion", 2),
    "onset_f": ("onsets", 2),
}


def group_rows(results: dict[str, Any]) -> Table:
    """Return headings and a row for each group: shares of all events, and GROUP_FIGURES.

    The codec has all of these, the matching pursuit with most atoms and Opus have some.
    """
    many = many_atoms(results["all"])
    columns = [
        *(("codec", key) for key in GROUP_FIGURES),
        ("random times, 16", "onset_f"),
        *((name, key) for name in (many, "Opus, 6 kb/s") for key in ("log_mel", "opinion")),
    ]
    short = {
        "codec": "Codec",
        many: "Pursuit",
        "Opus, 6 kb/s": "Opus",
        "random times, 16": "Random",
    }
    names = [f"{short[name]}: {GROUP_FIGURES[key][0]}" for name, key in columns]
    rows = []
    for name, group in results["groups"].items():
        label = f"({name})" if name in results["foreign"] else name
        cells = [str(group["segments"]), *(f"{group['codec'][order][-1]:.2f}" for order in ORDERS)]
        for method, key in columns:
            value, decimals = group[method].get(key), GROUP_FIGURES[key][1]
            cells.append("" if value is None else f"{value:.{decimals}f}")
        rows.append([label, *cells])
    return ["Group", "Segments", "L2", "L1", *names], rows


def markdown_table(head: list[str], rows: list[list[str]]) -> str:
    """Return a table as Markdown, its first column to the left."""
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in lines)


def markdown_results(results: dict[str, Any]) -> str:
    """Return all figures as Markdown, one block for each group."""
    lines = [
        f"checkpoint {results['checkpoint'][:16]}, manifest {results['manifest'][:16]},"
        f" options {results['options']}"
    ]
    for name, group in [("all", results["all"]), *results["groups"].items()]:
        distances = ", ".join(
            f"{method} {means['distance_to_reconstruction']:.1f} dB"
            for method, means in _methods(group).items()
            if "distance_to_reconstruction" in means
        )
        lines += [
            "",
            f"## {name}: {group['segments']} segments",
            "",
            markdown_table(*count_rows(group, results["counts"])),
            "",
            markdown_table(*comparison_rows(group, HEARD)),
            "",
            markdown_table(*comparison_rows(group, FOUND)),
            "",
            f"Distance to the reconstruction: {distances}",
        ]
    return "\n".join(lines)


def _methods(group: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the means of each method; a group also has the number of its segments."""
    return {name: means for name, means in group.items() if isinstance(means, dict)}


def _cell(means: dict[str, Any], key: str) -> str:
    decimals = FIGURES[key][1]
    return f"{means[key]:.{decimals}f}" if key in means else ""


WORDS = {  # key, heading
    "plain": "Word errors",
    "shared": "Word errors, shared high band",
}


def word_rows(group: dict[str, Any]) -> Table:
    """Return headings and a row for each method, of the word errors of one group."""
    rows = []
    for name, figures in group["methods"].items():
        cells = []
        for key in WORDS:
            low, high = (f"{100 * bound:.0f}" for bound in figures[f"{key}_interval"])
            cells.append(f"{100 * figures[key]:.0f} % ({low} to {high})")
        rate = figures.get("bits_per_second")
        rate_cell = "" if rate is None or name == "original" else f"{rate}"
        rows.append([name, rate_cell, *cells, f"{figures['estoi']:.2f}"])
    return ["Sound", "Bits/s", *WORDS.values(), "ESTOI"], rows


def markdown_words(results: dict[str, Any]) -> str:
    """Return word errors as Markdown, one block for each group, and what was left out."""
    lines = []
    for name, group in results["groups"].items():
        title = f"## {name}: {group['clips']} clips, {group['words']} words"
        lines += [title, "", markdown_table(*word_rows(group)), ""]
    lines += [f"{name} was left out: {why}" for name, why in results["skipped"].items()]
    return "\n".join(lines)
