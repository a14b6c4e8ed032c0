"""Imports run one way: experiments -> report, sparse_codec; those two know nothing of each other."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MAY_NOT_IMPORT = {
    "report": {"sparse_codec", "experiments", "build_site", "torch"},
    "sparse_codec": {"report", "experiments", "build_site"},
    "experiments": {"build_site"},
}


def imported(file: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.add(node.module.split(".")[0])
    return names


@pytest.mark.parametrize("package", MAY_NOT_IMPORT)
def test_imports_point_one_way(package):
    files = list((ROOT / package).rglob("*.py"))
    assert files
    wrong = {str(f.relative_to(ROOT)): imported(f) & MAY_NOT_IMPORT[package] for f in files}
    assert not {file: names for file, names in wrong.items() if names}
