"""Figures of an evaluation as tables."""

FIGURES = {  # key, heading, decimals
    "l2_all": ("L2 removed", 2),
    "l1_all": ("L1 removed", 2),
    "sound_l2": ("L2, as sound", 2),
    "sound_l1": ("L1, as sound", 2),
    "distance": ("Distance, dB", 1),
    "log_mel": ("Log-mel, dB", 1),
    "opinion": ("Opinion", 2),
    "onset_f": ("Onsets", 2),
    "redundancy": ("Shared onsets", 2),
    "crowd": ("In one frame", 1),
    "harmful": ("Harmful", 2),
    "bits_per_second": ("Bits/s", 0),
    "seconds": ("Seconds", 1),
}


def comparison_rows(
    group: dict, wanted: tuple[str, ...] = tuple(FIGURES)
) -> tuple[list[str], list[list[str]]]:
    """Headings and one row a method, of the wanted FIGURES of a group."""
    methods = {name: _with_all(means) for name, means in group.items() if isinstance(means, dict)}
    methods = {
        name: means for name, means in methods.items() if any(key in means for key in wanted)
    }
    keys = [key for key in wanted if any(key in means for means in methods.values())]
    rows = [
        [name, *(f"{means[key]:.{FIGURES[key][1]}f}" if key in means else "" for key in keys)]
        for name, means in methods.items()
    ]
    return ["Method", *(FIGURES[key][0] for key in keys)], rows


def count_rows(group: dict, counts: tuple[int, ...]) -> tuple[list[str], list[list[str]]]:
    """Headings and rows of the shares removed with so many events."""
    rows = [
        [f"{name}, {order.upper()}", *(f"{x:.2f}" for x in means[order])]
        for name, means in group.items()
        if isinstance(means, dict) and "l2" in means
        for order in ("l2", "l1")
    ]
    return ["Share removed with this many events", *map(str, counts)], rows


def _with_all(means: dict) -> dict:
    """The figures with the shares of the most events under a name of their own."""
    return {f"{order}_all": means[order][-1] for order in ("l2", "l1") if order in means} | means


def markdown_table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in lines)


def report(results: dict) -> str:
    """All figures as Markdown, one block a group."""
    lines = [
        f"checkpoint {results['checkpoint'][:16]}, manifest {results['manifest'][:16]}, options {results['options']}"
    ]
    for name, group in [("all", results["all"]), *results["groups"].items()]:
        lines += ["", f"## {name}: {group['segments']} segments", ""]
        lines += [
            markdown_table(*count_rows(group, results["counts"])),
            "",
            markdown_table(*comparison_rows(group)),
        ]
        moved = {
            m: f["distance_to_reconstruction"]
            for m, f in group.items()
            if "distance_to_reconstruction" in str(f)
        }
        lines += [
            "",
            "Distance to the reconstruction: "
            + ", ".join(f"{m} {d:.1f} dB" for m, d in moved.items()),
        ]
    return "\n".join(lines)
