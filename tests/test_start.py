"""A command starts without the libraries that it does not need, and packages import lazily."""

import ast
import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sparse_codec import EventSet
from sparse_codec.checkpoint import describe_checkpoint

ROOT = Path(__file__).parent.parent
HEAVY = ("torch", "scipy", "matplotlib")
PAGES = ("jinja2", "markdown_it", "pygments")  # a third of the time that `report --help` takes
# Runs a module, or a script, as `python` does, and then says on stderr which libraries it imported.
RUN = f"""
import runpy, sys
program, sys.argv = sys.argv[1], sys.argv[1:]
run = runpy.run_path if program.endswith(".py") else runpy.run_module
try:
    run(program, run_name="__main__")
finally:
    print("imported:", *(name for name in {HEAVY + PAGES} if name in sys.modules), file=sys.stderr)
"""


def start(*command: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", RUN, *command],
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("sparse_codec --help", 0),
        ("sparse_codec encode --help", 0),
        ("sparse_codec train --help", 0),
        ("sparse_codec encode --lossless", 2),
        ("sparse_codec nonsense", 2),
        ("sparse_codec info music", 0),
        ("sparse_codec info nowhere.safetensors", 1),
        ("report --help", 0),
        ("report build --help", 0),
        ("report", 2),
        ("report build missing.py", 1),
        ("build_site.py --help", 0),
        ("build_site.py --minutes 3", 2),
    ],
)
def test_a_command_starts_without_heavy_libraries(command, code, tmp_path):
    program, *words = command.split()
    program = str(ROOT / program) if program.endswith(".py") else program
    done = start(program, *words, cwd=tmp_path)
    assert done.returncode == code, done.stderr
    assert done.stderr.endswith("imported:\n"), done.stderr


@pytest.mark.parametrize("suffix", [".events", ".json"])
def test_info_on_a_set_reads_its_checkpoint_without_pytorch(suffix, tmp_path, music):
    from sparse_codec import EncodeOptions, SparseCodec
    from sparse_codec.coding.formats import write_set

    codec = SparseCodec.load("music")
    events = codec.encode(music[:1000], options=EncodeOptions(interim=0, refine=0))
    write_set(str(tmp_path / f"song{suffix}"), events, codec)
    done = start("sparse_codec", "info", f"song{suffix}", cwd=tmp_path)
    assert done.returncode == 0 and codec.digest[:16] in done.stdout
    assert done.stderr.endswith("imported:\n"), done.stderr


@pytest.mark.parametrize("model", ["music", "speech", "recurrent"])
def test_a_description_is_that_of_the_loaded_codec(model):
    from sparse_codec import SparseCodec

    codec, described = SparseCodec.load(model), describe_checkpoint(model)
    assert (described.digest, described.config) == (codec.digest, codec.config)
    assert described.card == codec.card
    sizes = {
        part: sum(p.numel() for p in getattr(codec, part).parameters())
        for part in ("encoder", "decoder")
    }
    assert described.parameters == {part: size for part, size in sizes.items() if size}
    assert described.parameters


@pytest.mark.parametrize("package", ["report", "sparse_codec"])
def test_a_package_gives_the_names_that_type_checkers_see(package):
    module = importlib.import_module(package)
    tree = ast.parse(Path(module.__file__).read_text())
    imported = {
        alias.name: node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module.startswith(f"{package}.")
        for alias in node.names
    }
    assert set(imported) == set(module.__all__) <= set(dir(module))
    for name, home in imported.items():
        assert getattr(module, name) is getattr(importlib.import_module(home), name)


def test_a_package_has_no_other_names():
    import sparse_codec

    assert sparse_codec.EventSet is EventSet
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = sparse_codec.nonsense
    with pytest.raises(ImportError):
        exec("from report import nonsense")


IMPORTS = f"""
import ast, sys
tree = ast.parse(open(sys.argv[1]).read())
imports = [x for x in tree.body if isinstance(x, ast.Import | ast.ImportFrom)]
exec(compile(ast.Module(imports, []), "imports", "exec"))
print(*(name for name in {HEAVY} if name in sys.modules))
"""


@pytest.mark.parametrize("article", sorted((ROOT / "experiments" / "articles").glob("[a-z]*.py")))
def test_an_article_imports_nothing_that_only_computing_needs(article):
    done = subprocess.run(
        [sys.executable, "-c", IMPORTS, str(article)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == ""
