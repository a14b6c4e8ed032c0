"""Imports run one way, between packages and between the folders of a package."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("workers", "report", "sparse_codec", "experiments")

# The rooms of each package, in reading order, with the rooms that each may import. A file on top
# of a package is a room of its own; "" is the package's public names.
WORKERS = {
    "signals": (),
    "forks": (),
    "cluster": ("forks",),
    "": (),
}
REPORT = {
    "errors": (),
    "number_formats": (),
    "mix": (),
    "storage": ("errors",),
    "keys": ("errors",),
    "artifacts": ("errors", "storage", "keys"),
    "listening": ("errors", "number_formats", "storage", "artifacts"),
    "article": ("errors", "number_formats", "keys", "artifacts", "listening"),
    "site": (
        *("errors", "number_formats", "storage", "keys", "artifacts", "listening", "article"),
        "workers",
    ),
    "sharing": ("errors", "number_formats", "mix", "storage", "artifacts", "article", "site"),
    "live": ("errors", "keys", "article", "site", "workers"),
    "notebook": ("errors", "keys", "artifacts", "article"),
    "cli": (
        *("errors", "number_formats", "storage", "artifacts", "listening", "article", "site"),
        *("sharing", "live", "notebook", "workers"),
    ),
    "": ("errors", "mix", "artifacts", "article", "site"),
    "__main__": ("errors", "cli"),
}
SPARSE_CODEC = {
    "config": (),
    "events": (),
    "outputs": (),
    "checkpoint": ("config",),
    "audio": ("outputs",),
    "model": ("config", "events"),
    "codec": ("config", "events", "outputs", "checkpoint", "audio", "model"),
    "stereo": ("config", "events", "audio", "model", "codec"),
    "coding": ("events", "outputs", "checkpoint", "audio", "model", "codec"),
    "training": ("config", "events", "checkpoint", "audio", "model", "codec", "coding"),
    "evaluation": ("config", "events", "outputs", "audio", "model", "codec", "coding", "workers"),
    "cli": (
        *("config", "events", "outputs", "checkpoint", "audio", "codec", "stereo", "coding"),
        *("training", "evaluation", "workers"),
    ),
    "": ("config", "events", "checkpoint", "audio", "codec", "stereo", "coding"),
    "__main__": ("cli", "workers"),
}
EXPERIMENTS = {
    "scores": ("sparse_codec",),
    "clips": ("scores", "sparse_codec"),
    "stored_figures": ("report", "sparse_codec"),
    "lazy_codec": ("sparse_codec",),
    "inputs": ("clips", "lazy_codec", "stored_figures", "sparse_codec"),
    "corpora": ("clips", "sparse_codec"),
    "measurements": ("clips", "stored_figures", "sparse_codec"),
    "sections": ("scores", "clips", "stored_figures", "measurements", "report", "sparse_codec"),
    "articles": (
        *("clips", "lazy_codec", "stored_figures", "inputs", "measurements", "sections"),
        *("report", "sparse_codec"),
    ),
    "build": ("", "inputs", "lazy_codec", "report", "sparse_codec"),
    "": (),
}
ROOMS = {
    "workers": WORKERS,
    "report": REPORT,
    "sparse_codec": SPARSE_CODEC,
    "experiments": EXPERIMENTS,
}


def modules() -> dict[str, Path]:
    """Every module of the three packages by its dotted name; a package by its own name."""
    found = {}
    for package in PACKAGES:
        for file in (ROOT / package).rglob("*.py"):
            parts = file.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return found


MODULES = modules()


def imported(file: Path) -> set[str]:
    """The modules that a file imports anywhere in it; of packages outside, their own name."""
    names = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: write whole names, as everywhere else"
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                names.add(whole if whole in MODULES else node.module)
    return names


def room_of(module: str) -> tuple[str, str]:
    package, *rest = module.split(".")
    return package, rest[0] if rest else ""


def test_every_room_has_a_row():
    rooms = {package: set() for package in PACKAGES}
    for module in MODULES:
        package, room = room_of(module)
        rooms[package].add(room)
    assert rooms == {package: set(rows) for package, rows in ROOMS.items()}


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_only_rooms_that_its_own_may(module):
    package, room = room_of(module)
    allowed = ROOMS[package][room]
    for name in imported(MODULES[module]):
        other, other_room = room_of(name)
        if other == package:
            assert other_room == room or other_room in allowed, f"{module} imports {name}"
        elif other in PACKAGES:
            assert other in allowed, f"{module} imports {name}"
        assert other != "build_site", f"{module} imports {name}"
        assert not (package == "report" and other == "torch"), f"{module} needs PyTorch"


def test_nothing_goes_in_circles():
    """Neither the modules nor the rooms; TopologicalSorter names the circle that it meets."""
    edges = {name: imported(file) & MODULES.keys() - {name} for name, file in MODULES.items()}
    TopologicalSorter(edges).prepare()
    for rows in ROOMS.values():
        TopologicalSorter(
            {room: set(allowed) & rows.keys() for room, allowed in rows.items()}
        ).prepare()
