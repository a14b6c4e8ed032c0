"""The edits: changes of the project beside this file, with the artifacts that each one rebuilds.

An artifact that an edit does not name has to be found as it was: so every edit also states that
code which only other artifacts reach does not matter.
"""

import ast
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

Change = Callable[[str], str]


@dataclass(frozen=True)
class Edit:
    """A change of the text of `file`, which may be a pattern, and the artifacts that it rebuilds.

    Their names are separated by spaces.
    """

    what: str
    file: str
    change: Change
    rebuilt: str = ""

    def apply(self, project: Path) -> None:
        for path in sorted(project.glob(self.file)) or [project / self.file]:
            before = path.read_text() if path.exists() else ""
            after = self.change(before)
            assert after != before, f"{self.what}: no change in {path.name}"
            path.write_text(after)


def swap(old: str, new: str) -> Change:
    """Put `new` in the place of `old`, which occurs once."""

    def change(text: str) -> str:
        assert text.count(old) == 1, f"{old!r} is there {text.count(old)} times"
        return text.replace(old, new)

    return change


def add(new: str) -> Change:
    """Put `new` at the end."""
    return lambda text: text + new


def rename(start: str, old: str, new: str) -> Change:
    """Rename in the top-level blocks that start with `start`."""
    return lambda text: "\n\n\n".join(
        re.sub(rf"\b{old}\b", new, block) if block.startswith(start) else block
        for block in text.split("\n\n\n")
    )


def move(start: str) -> Change:
    """Move the top-level block that starts with `start` to the end."""

    def change(text: str) -> str:
        blocks = text.removesuffix("\n").split("\n\n\n")
        return "\n\n\n".join(sorted(blocks, key=lambda block: block.startswith(start))) + "\n"

    return change


def each(*changes: Change) -> Change:
    """Make all changes, one after the other."""

    def change(text: str) -> str:
        for one in changes:
            text = one(text)
        return text

    return change


def reprint(text: str) -> str:
    """Print the same syntax tree in Python's formatting, without comments."""
    return ast.unparse(ast.parse(text)) + "\n"


VOICES = "of_class of_subclass"
WAVES = "direct own_figure through_alias through_relative_import through_nested_function"
ROOMS = "of_field_default of_global_room"
MODELS = "checkpoint checkpoint_among global_checkpoint"

REBUILDS = {
    "own code": [
        Edit("an attribute", "demo.py", swap("level * np.sin(", "level * np.cos("), "own_code"),
        Edit("an operator", "demo.py", swap("level * np.sin(", "level - np.sin("), "own_code"),
        Edit("a comparison", "demo.py", swap("n > 1_000", "n >= 1_000"), "own_code"),
        Edit("a number", "demo.py",
             swap("linspace(0.01, 0.2, n)", "linspace(0.01, 0.3, n)"), "own_code"),
        Edit("a number's kind", "demo.py",
             swap("return Data([1, 2])", "return Data([1, 2.0])"), "source result"),
        Edit("a string", "demo.py", swap('"note": "a"', '"note": "b"'), "own_words"),
        Edit("a format", "demo.py", swap("{pitch:.2f} Hz", "{pitch:.3f} Hz"), "own_words"),
        Edit("an f-string's text", "demo.py",
             swap("{pitch:.2f} Hz", "{pitch:.2f} hertz"), "own_words"),
        Edit("one line less", "demo.py",
             swap("        level = 0.25\n", "        pass\n"), "own_code"),
        Edit("a local that hides a constant", "demo.py",
             swap("(A4)", "((lambda A4: A4)(1))"), "of_constant"),
        Edit("of two that call each other", "demo.py",
             swap('["call", *', '["cry", *'), "call response"),
        Edit("lines in another order", "demo.py", swap(
            "    level = 0.5\n    if n > 1_000:\n        level = 0.25\n",
            "    if n > 1_000:\n        level = 0.25\n    level = 0.5\n",
        ), "own_code"),
        Edit("other code, same result", "demo.py",
             swap("return Data([1, 2])", "return Data([1] + [2])"), "source"),
    ],
    "a function reached through imports": [
        Edit("imported", "studio/synth.py", swap("np.sin(", "np.cos("), "direct own_figure"),
        Edit("two modules away", "studio/filters.py",
             swap("(a + b) / 2", "(a + b) / 3"), "two_modules_away"),
        Edit("one module away", "studio/chain.py",
             swap("list(range(n))", "list(range(n + 1))"), "two_modules_away"),
        Edit("a relative import", "studio/chain.py",
             swap("rise=0.5", "rise=0.6"), "through_relative_import"),
        Edit("re-exported by a package", "studio/strings.py",
             swap("0.9**i", "0.8**i"), "through_package"),
        Edit("a re-export that leads elsewhere", "studio/__init__.py", swap(
            "from studio.strings import pluck", "from studio.presets.dull import shade as pluck"
        ), "through_package"),
        Edit("a star import", "studio/noise.py",
             swap(".random() for", ".uniform(1, 2) for"), "through_star"),
        Edit("a star import, then hidden", "demo.py", swap(
            "spare.tune(1)\n", "spare.tune(1)\n\n\ndef hiss(n):\n    return [0] * n\n"
        ), "through_star"),
        Edit("a star import that hides another", "studio/noise.py", add(
            "\n\ndef pluck(n):\n    return [n]\n"
        ), "through_package"),
        Edit("imported inside the function", "studio/late.py",
             swap("n / 4", "n / 8"), "through_local_import"),
        Edit("called by a nested function", "studio/synth.py", swap(
            "rise * (i", "rise + (i"
        ), "through_nested_function through_relative_import"),
        Edit("called by a lambda", "studio/synth.py",
             swap("abs(phase - 8)", "abs(phase - 7)"), "through_lambda"),
        Edit("a nested function", "studio/synth.py",
             swap("math.exp(-damping", "math.exp(damping"), "through_locals"),
    ],
    "a function reached through attributes": [
        Edit("of a package", "studio/presets/dull.py", swap("0.25", "0.2"), "through_attributes"),
        Edit("of a package that picks another", "studio/presets/__init__.py", swap(
            "from . import bright, dull", "from . import bright\nfrom . import muted as dull"
        ), "through_attributes"),
        Edit("in a module's table", "studio/filters.py",
             swap("(1 + sample)", "(2 + sample)"), "through_table"),
        Edit("beside it in the table", "studio/filters.py",
             swap("min(1, sample)", "min(2, sample)"), "through_table"),
        Edit("made by a module's function", "studio/filters.py", swap(
            "drive * sample", "drive + sample"
        ), "through_factory"),
        Edit("of a module, as a default", "studio/filters.py", swap(
            "min(sample, 1.5)", "min(sample, 1.25)"
        ), "through_default"),
    ],
    "a function reached through aliases": [
        Edit("from m import f as g", "studio/synth.py",
             swap("else -1", "else -2"), "through_alias"),
        Edit("import a.b as c", "studio/presets/bright.py",
             swap("n**0.5", "n**0.6"), "through_import_as"),
        Edit("g = partial(f)", "studio/filters.py",
             swap("factor * sample", "factor - sample"), "through_partial"),
        Edit("map(f, ...)", "studio/filters.py",
             swap("round(sample * 10) / 10", "round(sample)"), "through_map"),
        Edit("an alias of another function", "demo.py", swap(
            "import square as block", "import saw as block"
        ), "through_alias"),
        Edit("an alias of another module", "demo.py", swap(
            "presets.bright as preset", "presets.muted as preset"
        ), "through_import_as"),
    ],
    "a method": [
        Edit("of an instance", "studio/voices.py",
             swap("self.level * self.fold", "self.level + self.fold"), VOICES),
        Edit("a property", "studio/voices.py",
             swap("1000 / self.pitch", "2000 / self.pitch"), VOICES),
        Edit("static", "studio/voices.py", swap("x % 3", "x % 4"), VOICES),
        Edit("of the class", "studio/voices.py", swap("cls(110)", "cls(120)"), VOICES),
        Edit("__init__", "studio/voices.py", swap("pitch * 1.0", "pitch * 1.5"), VOICES),
        Edit("that overrides", "studio/voices.py",
             swap("self.attack() + x", "self.attack() - x"), "of_subclass"),
        Edit("of an argument", "studio/settings.py",
             swap("max(self.gains)", "min(self.gains)"), "settings"),
        Edit("of a model among the arguments", "studio/settings.py",
             swap("x * weight", "x + weight"), MODELS),
    ],
    "a class": [
        Edit("an attribute", "studio/voices.py", swap("level = 0.5", "level = 0.4"), VOICES),
        Edit("one attribute more", "studio/voices.py", swap(
            "class Drum:\n", "class Drum:\n    skin = 2\n"
        ), "of_attribute"),
        Edit("a method that nothing names", "studio/voices.py",
             swap("cents / 1200", "cents / 1300"), VOICES),
        Edit("fields in another order", "studio/settings.py", swap(
            "    seed: int = 5\n    gains: tuple = (1, 2)\n",
            "    gains: tuple = (1, 2)\n    seed: int = 5\n"
        ), "settings"),
        Edit("a field that is none any more", "studio/settings.py", swap(
            "wet: float = 0.3", "wet = 0.3"
        ), ROOMS),
        Edit("a method of another kind", "studio/voices.py", swap(
            "@staticmethod\n    def fold(x)", "@classmethod\n    def fold(cls, x)"
        ), VOICES),
    ],
    "a base class": [
        Edit("its attribute", "studio/breath.py", swap("air = 0.1", "air = 0.2"), "of_subclass"),
        Edit("its method", "studio/breath.py", swap("self.air * 2", "self.air * 3"), "of_subclass"),
        Edit("its method that another base hides", "studio/breath.py",
             swap('"warm"', '"hot"'), "of_subclass"),
        Edit("another order", "studio/voices.py", swap(
            "(Breath, Warmth, Voice)", "(Warmth, Breath, Voice)"
        ), "of_subclass"),
        Edit("one less", "studio/voices.py",
             swap("(Breath, Warmth, Voice)", "(Breath, Voice)"), "of_subclass"),
        Edit("one more", "studio/voices.py",
             swap("class Drum:", "class Drum(Warmth):"), "of_attribute"),
    ],
    "a decorator": [
        Edit("its argument", "studio/takes.py", swap("by=2", "by=3"), "of_decorated"),
        Edit("its wrapper", "studio/decorators.py",
             swap("(*args), by)", "(*args), 2 * by)"), "of_decorated"),
        Edit("what it calls", "studio/decorators.py",
             swap("level * by", "level + by"), "of_decorated"),
        Edit("a constant that it reads", "studio/decorators.py",
             swap("STEP = 1", "STEP = 2"), "of_decorated"),
        Edit("two in another order", "studio/takes.py", swap(
            "@shifted\n@louder(by=2)", "@louder(by=2)\n@shifted"
        ), "of_decorated"),
        Edit("one less", "studio/takes.py", swap("@shifted\n", ""), "of_decorated"),
        Edit("that registers a variant", "studio/takes.py",
             swap("sound.upper()", "sound.title()"), "of_dispatched"),
        Edit("of a class", "studio/decorators.py", swap('"!"', '"?"'), "of_decorated_class"),
    ],
    "a constant": [
        Edit("imported", "studio/tuning.py",
             swap("A4 = 440.0", "A4 = 442.0"), "of_constant of_table"),
        Edit("two modules away", "studio/tuning.py",
             swap("(1 / 12)", "(1 / 10)"), "of_distant_constant of_table"),
        Edit("computed from another", "studio/tuning.py", swap(
            "SEMITONE**7", "SEMITONE**8"
        ), "of_distant_constant of_table"),
        Edit("in a table", "studio/tuning.py",
             swap('"e": A4 * FIFTH', '"e": A4 / FIFTH'), "of_table"),
        Edit("one of two in a line", "studio/tuning.py", swap("110, 880", "110, 990"), "of_span"),
        Edit("added to", "studio/tuning.py", swap("LIMIT += 2", "LIMIT += 3"), "of_limit"),
        Edit("in a condition", "studio/tuning.py",
             swap("VOICES: int = 4", "VOICES: int = 2"), "of_branch"),
        Edit("in a branch", "studio/tuning.py", swap('"choir"', '"choirs"'), "of_branch"),
        Edit("set again further down", "studio/tuning.py", add("\n\nHIGH = 900\n"), "of_span"),
        Edit("read by many", "studio/synth.py", swap("PERIOD = 8", "PERIOD = 6"), WAVES),
        Edit("a table of functions", "studio/filters.py",
             swap('"soft": soft', '"soft": hard'), "through_table"),
        Edit("made by a function", "studio/filters.py",
             swap("shaper(0.75)", "shaper(0.5)"), "through_factory"),
        Edit("that hides a builtin", "studio/filters.py",
             add("\n\ndef round(x):\n    return 0.5\n"), "through_map"),
    ],
    "a value that the source does not tell": [
        Edit("of a global", "data/gain.txt", swap("0.5", "0.6"), "of_global"),
        Edit("of a global two modules away", "data/floor.txt",
             swap("0.25", "0.3"), "of_distant_global"),
        Edit("of an array", "data/levels.txt", swap("0.3", "0.4"), "of_global_array"),
        Edit("of a dict", "data/rooms.json", swap("Hall", "Cave"), "of_global_dict"),
        Edit("of a dataclass", "data/rooms.json",
             swap("12", "13"), "of_global_dict of_global_room"),
        Edit("of a network", "data/weights.txt", swap("0.25", "0.75"), "network"),
    ],
    "a default": [
        Edit("of an artifact", "demo.py", swap("n: int = 16", "n: int = 17"), "own_code"),
        Edit("of an artifact, a function", "demo.py", swap(
            "shape=filters.clip", "shape=filters.quantise"
        ), "through_default"),
        Edit("by position", "studio/settings.py", swap("pan=0.5", "pan=0.6"), "of_default"),
        Edit("by keyword", "studio/settings.py", swap("width=2", "width=3"), "of_default"),
        Edit("a lambda", "studio/settings.py",
             swap("lambda x: x**2", "lambda x: x**3"), "of_default_lambda"),
        Edit("a call", "studio/settings.py",
             swap("reference=unity()", "reference=2 * unity()"), "of_default_call"),
        Edit("what it calls", "studio/settings.py",
             swap("return 1.0", "return 2.0"), "of_default_call"),
        Edit("of a field", "studio/settings.py",
             swap("wet: float = 0.3", "wet: float = 0.4"), ROOMS),
        Edit("of a field, a factory", "studio/settings.py", swap("return 20", "return 30"), ROOMS),
    ],
    "a library": [
        Edit("used", "installed/resonator-1.0*/METADATA",
             swap("Version: 1.0", "Version: 1.1"), "of_library"),
        Edit("repackaged", "installed/resonator-1.0*/METADATA", swap(
            "Version: 1.0", "Version: 1.0.post1"
        ), "of_library"),
        Edit("required by it", "installed/springs-2.0*/METADATA",
             swap("Version: 2.0", "Version: 2.1"), "of_library"),
        Edit("required by that", "installed/steel-3.0*/METADATA",
             swap("Version: 3.0", "Version: 3.1"), "of_library"),
        Edit("of another name", "installed/py_chimes-1.5*/METADATA", swap(
            "Version: 1.5", "Version: 2"
        ), "of_renamed_library"),
        Edit("imported, used by no artifact", "installed/spare-0.1*/METADATA",
             swap("Version: 0.1", "Version: 0.2")),
    ],
    "an argument": [
        Edit("a number", "demo.py", swap("value(3)", "value(4)"), "value"),
        Edit("a number's kind", "demo.py", swap("value(3)", "value(3.0)"), "value"),
        Edit("True for 1", "demo.py", swap("value(3)", "value(True)"), "value"),
        Edit("a string for a number", "demo.py", swap("value(3)", 'value("3")'), "value"),
        Edit("given by keyword", "demo.py", swap("value(3)", "value(3, width=3)"), "value"),
        Edit("an array's values", "demo.py",
             swap("array(np.arange(6.0)", "array(np.arange(1.0, 7.0)"), "array"),
        Edit("an array's dtype", "demo.py", swap(
            "array(np.arange(6.0)", "array(np.arange(6.0, dtype=np.float32)"
        ), "array"),
        Edit("an array's shape", "demo.py", swap(".reshape(2, 3)", ".reshape(3, 2)"), "array"),
        Edit("an array's order of values", "demo.py",
             swap(".reshape(2, 3)", '.reshape(2, 3, order="F")'), "array"),
        Edit("a tensor's values", "tensors.py",
             swap("tensor(torch.arange(4.0))", "tensor(torch.ones(4))"), "tensor"),
        Edit("an array for a tensor", "tensors.py",
             swap("torch.arange(4.0)", "torch.arange(4.0).numpy()"), "tensor"),
        Edit("a tensor's dtype", "tensors.py",
             swap("torch.arange(4.0)", "torch.arange(4.0).bfloat16()"), "tensor"),
        Edit("a dict's value", "demo.py", swap('"low": 1', '"low": 2'), "mapping"),
        Edit("a dict's key", "demo.py", swap('"low": 1', '"lower": 1'), "mapping"),
        Edit("a set's item", "demo.py",
             swap('"voice", "drum"}', '"voice", "organ"}'), "collection"),
        Edit("a field of a dataclass", "demo.py",
             swap("Settings(440.0)", "Settings(441.0)"), "settings"),
        Edit("inside a field of a dataclass", "demo.py", swap(
            "Settings(440.0)", "Settings(440.0, gains=(1, 3))"
        ), "settings"),
        Edit("a file's content", "data/here/score.txt", swap("C D E F", "C D E G"), "file"),
        Edit("a file in a folder", "data/here/takes/one.txt", swap("first", "other"), "folder"),
        Edit("one file more in a folder", "data/here/takes/three.txt",
             add("third take\n"), "folder"),
        Edit("another artifact", "demo.py",
             swap("return Data([1, 2])", "return Data([1, 3])"), "source result"),
    ],
    "the bytes of a checkpoint": [
        Edit("one byte", "data/checkpoint.txt", swap("3", "4"), MODELS),
        Edit("more", "data/checkpoint.txt", add("4\n"), MODELS),
        Edit("less", "data/checkpoint.txt", swap(" 3", ""), MODELS),
        Edit("bytes that mean the same", "data/checkpoint.txt", swap("1 2", "1  2"), MODELS),
        Edit("of another file", "demo.py", swap(
            'checkpoint(Checkpoint(DATA / "checkpoint.txt"',
            'checkpoint(Checkpoint(DATA / "finetuned.txt"'
        ), "checkpoint"),
    ],
    "a seed": [
        Edit("an argument", "demo.py", swap("seeded(5)", "seeded(6)"), "seeded"),
        Edit("a constant", "demo.py", swap("SEED = 7", "SEED = 8"), "seeded_by_constant"),
        Edit("in the code", "demo.py", swap("default_rng(3)", "default_rng(4)"), "seeded_inside"),
        Edit("a field's default", "studio/settings.py",
             swap("seed: int = 5", "seed: int = 6"), "settings"),
        Edit("of a library's generator", "moods.py",
             swap("random.seed(4)", "random.seed(5)"), "made"),
        Edit("a constant of a module", "studio/noise.py",
             swap("HISS_SEED = 11", "HISS_SEED = 12"), "through_star"),
        Edit("derived from another", "studio/noise.py",
             swap("seed + 1", "seed + 2"), "seeded_far_away"),
    ],
    "the kind of device": [
        Edit("of an argument", "demo.py", swap('device="cpu"', 'device="cuda"'), "checkpoint"),
        Edit("of a model among the arguments", "demo.py",
             swap('device="cuda:0"', 'device="cpu"'), "checkpoint_among"),
        Edit("neither CPU nor CUDA", "demo.py",
             swap('device="cuda:0"', 'device="mps"'), "checkpoint_among"),
        Edit("of a global", "demo.py", swap(
            'LISTED = [Checkpoint(DATA / "checkpoint.txt")',
            'LISTED = [Checkpoint(DATA / "checkpoint.txt", "cuda")'
        ), "global_checkpoint"),
        Edit("set by the model's class", "studio/settings.py", swap(
            "self.device = device", 'self.device = "cuda"'
        ), MODELS),
        Edit("a device itself", "tensors.py",
             swap('torch.device("cpu")', 'torch.device("cuda")'), "device"),
        Edit("another device of a kind", "demo.py", swap('device="cuda:0"', 'device="cuda:1"')),
    ],
    "a library that the article sets up": [
        Edit("one that a figure uses", "demo.py", add(
            "import matplotlib.pyplot as plt\n\nplt.close('all')\n"
        ), "own_figure"),
        Edit("by a call", "demo.py", add("resonator.ring(3)\n"), "of_library"),
        Edit("one that it requires", "demo.py",
             add("import steel\n\nsteel.MODULUS = 210\n"), "of_library"),
        Edit("through another", "demo.py", add("spare.retune(1)\n"), "of_library"),
        Edit("through two functions of another", "demo.py",
             add("spare.retune_all(1)\n"), "of_library"),
        Edit("by a function that is imported", "demo.py",
             add("from springs import stiffness as play\n\nplay()\n"), "of_library"),
        Edit("by a method of what a call returns", "demo.py",
             add("resonator.ring(3).is_integer()\n"), "of_library"),
        Edit("in a branch", "demo.py", add("if SEED:\n    resonator.ring(3)\n"), "of_library"),
        Edit("in a loop", "demo.py",
             add("for pitch in [1, 2]:\n    resonator.ring(pitch)\n"), "of_library"),
        Edit("in a context", "demo.py", add(
            "with open(__file__) as opened:\n    resonator.ring(3)\n"
        ), "of_library"),
        Edit("by a context", "demo.py", swap(
            "of_library()\n", "with resonator.stretched(2):\n    of_library()\n"
        ), "of_library"),
        Edit("one that a module sets up, too", "moods.py", swap(
            "random.seed(4)\n", "random.seed(4)\nimport numpy as np\n\nnp.random.seed(4)\n"
        ), "made"),
        Edit("Python's own, which all may use", "moods.py",
             swap("random.seed(4)\n", "random.seed(4)\nrandom.random()\n"), "made"),
    ],
    "what a module does when it is imported": [
        Edit("a setting of a library", "studio/quiet.py", swap('"ignore"', '"warn"'), "made"),
        Edit("appends", "studio/registry.py", swap("append(3)", "append(4)"), "made"),
        Edit("registers a function", "studio/shapes.py", swap("i / n", "i / (n + 1)"), "made"),
        Edit("how it registers", "studio/registry.py", swap(
            "MAKERS[name] = function", "MAKERS[name] = sorted and function"
        ), "made"),
        Edit("sets an item", "studio/shapes.py",
             swap('["steps"] = steps', '["steps"] = ramp'), "made"),
        Edit("the item that it sets", "studio/shapes.py", swap("i // 2", "i // 3"), "made"),
        Edit("the object that it sets", "studio/shapes.py", swap("n % 2", "n % 3"), "made"),
        Edit("sets an attribute of a class", "studio/shapes.py",
             swap("TALLEST = 8", "TALLEST = 9"), "made"),
    ],
}  # fmt: skip

CHANGES_NOTHING = {
    "a comment": [
        Edit("other words", "demo.py", swap("# in periods", "# in cycles")),
        Edit("a new one", "studio/chain.py",
             swap("    return smooth(", "    # As it comes.\n    return smooth(")),
        Edit("one less", "studio/synth.py", swap("    # Rises and falls back.\n", "")),
        Edit("of a constant", "studio/synth.py",
             swap("PERIOD = 8  # samples", "PERIOD = 8  # of them")),
        Edit("in a class", "studio/voices.py", swap("level = 0.5", "level = 0.5  # of full scale")),
        Edit("the prose of the article", "demo.py",
             swap("# ## Libraries", "# ## What is installed")),
    ],
    "a docstring": [
        Edit("of a module", "studio/tuning.py", swap("Pitches, in Hz.", "Hertz.")),
        Edit("of an artifact", "demo.py", swap("A tone that rises.", "It rises.")),
        Edit("of a function", "studio/synth.py", swap("n samples of a sine.", "A sine.")),
        Edit("of a class", "studio/voices.py", swap("Anything that sounds.", "Sounds.")),
        Edit("of a method", "studio/voices.py", swap('"""n samples."""', '"""Samples."""')),
        Edit("of a dataclass", "studio/settings.py", swap('    """How to play."""\n\n', "")),
        Edit("a new one", "studio/chain.py",
             swap("def buzz(n):\n", 'def buzz(n):\n    """A buzz."""\n')),
        Edit("one less", "studio/chain.py", swap('    """A smoothed ramp."""\n', "")),
    ],
    "blank lines": [
        Edit("in an artifact", "demo.py", swap("    level = 0.5\n", "\n    level = 0.5\n\n")),
        Edit("in a function", "studio/filters.py",
             swap("        return drive", "\n        return drive")),
        Edit("in a class", "studio/voices.py", swap("    level = 0.5\n", "\n\n    level = 0.5\n")),
        Edit("at the top", "studio/synth.py", lambda text: "\n\n\n" + text),
        Edit("at the end", "studio/tuning.py", add("\n\n\n")),
        Edit("none at all", "studio/**/*.py", lambda text: re.sub(r"\n\n+", "\n", text + "\n\n")),
    ],
    "moved lines": [
        Edit("a function", "studio/synth.py", move("def sine")),
        Edit("two functions", "studio/settings.py", each(move("def mixed"), move("def faded"))),
        Edit("a class", "studio/breath.py", move("class Breath")),
        Edit("a decorated function", "studio/takes.py", move("@shifted")),
        Edit("two constants", "studio/tuning.py", swap(
            "A4 = 440.0\nSEMITONE = 2 ** (1 / 12)\n", "SEMITONE = 2 ** (1 / 12)\nA4 = 440.0\n"
        )),
        Edit("two imports", "studio/chain.py", swap(
            "from . import synth\nfrom .filters import smooth\n",
            "from .filters import smooth\nfrom . import synth\n"
        )),
        Edit("everything, down", "demo.py",
             swap("import functools\n", "# Moved.\n" * 40 + "import functools\n")),
    ],
    "formatting": [
        Edit("quotes", "studio/voices.py", swap('"thud"', "'thud'")),
        Edit("a string in two parts", "studio/voices.py", swap('"thud"', '"th" "ud"')),
        Edit("digits set apart", "demo.py", swap("1_000", "1000")),
        Edit("a number's spelling", "studio/tuning.py", swap("440.0", "4.4e2")),
        Edit("parentheses", "studio/filters.py", swap("factor * sample", "(factor * (sample))")),
        Edit("line breaks", "studio/filters.py", swap(
            "return round(sample * 10) / 10",
            "return (\n        round(sample * 10)\n        / 10\n    )"
        )),
        Edit("a trailing comma", "studio/tuning.py", swap('"e": A4 * FIFTH}', '"e": A4 * FIFTH,}')),
        Edit("two statements in a line", "studio/synth.py", swap(
            "    total = 0.0\n    samples", "    total = 0.0; samples"
        )),
        Edit("everything, printed anew", "**/*.py", reprint),
    ],
    "annotations that do nothing": [
        Edit("of an argument", "studio/tuning.py",
             swap("def fifth(pitch)", "def fifth(pitch: float)")),
        Edit("of a result", "studio/tuning.py", swap("def span()", "def span() -> int")),
        Edit("of a local", "studio/synth.py", swap("total = 0.0", "total: float = 0.0")),
        Edit("of a constant", "studio/tuning.py", swap("A4 = 440.0", "A4: float = 440.0")),
        Edit("of a constant, one less", "studio/tuning.py", swap("VOICES: int = 4", "VOICES = 4")),
        Edit("of a method", "studio/voices.py",
             swap("def tune(self, cents)", "def tune(self, cents: float) -> None")),
        Edit("of a function, less", "studio/synth.py", swap(
            "n: int, damping: float = 0.5) -> list[float]", "n, damping=0.5)"
        )),
        Edit("of an artifact", "demo.py", swap("own_code(n: int = 16)", "own_code(n=16)")),
        Edit("put off", "studio/synth.py", swap(
            "import math\n", "from __future__ import annotations\n\nimport math\n"
        )),
    ],
    "a renamed local": [
        Edit("of an artifact", "demo.py",
             rename("# %%\n@conjure\ndef own_code", "level", "loudness")),
        Edit("of an artifact, an import", "demo.py",
             rename("@conjure\ndef own_figure", "plt", "plots")),
        Edit("of a function", "studio/synth.py", rename("def sine", "phase", "angle")),
        Edit("in a loop", "studio/synth.py", rename("def bell", "total", "level")),
        Edit("in a comprehension", "studio/synth.py", rename("def square", "i", "index")),
        Edit("in a nested function", "studio/synth.py", rename("def bell", "seconds", "time")),
        Edit("a nested function", "studio/synth.py", rename("def bell", "decay", "fall")),
        Edit("in a decorator", "studio/decorators.py",
             rename("def louder", "wrapper", "amplified")),
        Edit("in a method", "studio/voices.py", rename("class Flute", "x", "sample")),
    ],
    "a renamed import": [
        Edit("of a function", "demo.py", rename("", "block", "bricks")),
        Edit("of a module", "demo.py", rename("", "preset", "brightness")),
        Edit("of a library", "studio/synth.py", rename("", "np", "num")),
        Edit("that had no other name", "studio/chain.py", each(
            swap("import smooth", "import smooth as even"), swap("return smooth", "return even")
        )),
        Edit("written another way", "demo.py", swap(
            "import studio.presets.bright as preset", "from studio.presets import bright as preset"
        )),
    ],
    "what nothing uses": [
        Edit("a function", "studio/synth.py", swap("return n - 1", "return n - 2")),
        Edit("a new function", "studio/synth.py",
             add("\n\ndef ramp(n):\n    return list(range(n))\n")),
        Edit("a constant", "studio/tuning.py", swap("UNUSED = 3", "UNUSED = 4")),
        Edit("a new constant", "studio/filters.py", add("\n\nLOUDEST = 1\n")),
        Edit("a new class", "studio/voices.py", add("\n\nclass Choir(Voice):\n    pass\n")),
        Edit("a new import", "studio/filters.py",
             swap('"""Filters."""\n', '"""Filters."""\n\nimport math\n')),
        Edit("a new artifact", "demo.py", swap(
            "@conjure\ndef own_words",
            "@conjure\ndef unheard() -> Data:\n    return Data(0)\n\n\n@conjure\ndef own_words",
        )),
    ],
    "a call that sets up nothing that is used": [
        Edit("of a library", "demo.py", add("spare.tune(2)\n")),
        Edit("of a library, in a loop", "demo.py",
             add("for pitch in [1, 2]:\n    spare.tune(pitch)\n")),
        Edit("of a library that figures use", "moods.py",
             add("import matplotlib.pyplot as plt\n\nplt.close('all')\n")),
        Edit("that shows a figure", "moods.py",
             add("import matplotlib.pyplot as plt\n\nplt.plot([1, 2])\nplt.show()\n")),
        Edit("of a function of the article", "demo.py", add("for_no_artifact()\n")),
        Edit("that sets an attribute of it", "demo.py", add("spare.pitch = 2\n")),
    ],
    "how an argument is passed": [
        Edit("by keyword", "demo.py", swap("value(3)", "value(x=3)")),
        Edit("a default by position", "demo.py", swap("value(3)", "value(3, 1.0)")),
        Edit("a default by keyword", "demo.py", swap("value(3)", "value(3, width=2)")),
        Edit("keywords in any order", "demo.py", swap("value(3)", "value(width=2, gain=1.0, x=3)")),
        Edit("unpacked", "demo.py", swap("value(3)", "value(*[3], **{'gain': 1.0})")),
        Edit("a field by keyword", "demo.py",
             swap("Settings(440.0)", "Settings(seed=5, pitch=440.0)")),
    ],
    "another form of the same value": [
        Edit("a dict's order", "demo.py",
             swap('{"low": 1, "high": [2, 3]}', '{"high": [2, 3], "low": 1}')),
        Edit("a set's order", "demo.py",
             swap('{"flute", "voice", "drum"}', '{"drum", "voice", "flute"}')),
        Edit("an array's memory order", "demo.py", swap(
            "array(np.arange(6.0).reshape(2, 3))",
            "array(np.asfortranarray(np.arange(6.0).reshape(2, 3)))"
        )),
        Edit("an array's strides", "demo.py", swap(
            "array(np.arange(6.0).reshape(2, 3))",
            "array(np.arange(0, 6, 0.5).reshape(2, 6)[:, ::2])"
        )),
        Edit("a tensor's strides", "tensors.py",
             swap("torch.arange(4.0)", "torch.arange(0, 4, 0.5)[::2]")),
        Edit("a file elsewhere", "demo.py",
             swap('DATA / "here" / "score.txt"', 'DATA / "there" / "score.txt"')),
        Edit("a folder elsewhere", "demo.py",
             swap('DATA / "here" / "takes"', 'DATA / "there" / "takes"')),
        Edit("a checkpoint elsewhere", "demo.py", swap(
            'checkpoint(Checkpoint(DATA / "checkpoint.txt"',
            'checkpoint(Checkpoint(DATA / "copy.txt"'
        )),
    ],
}  # fmt: skip


def late(uses: str, *imports: str) -> Edit:
    """An edit that uses something without calling it, since `n` is true where it stands."""
    lines = "".join(f"    import {name}\n" for name in imports)
    change = swap("    return [n,", f"{lines}    return [n or {uses},")
    return Edit(uses, "studio/late.py", change)


# By rule: an edit of which only that rule warns. Rules of `report.keys.syntax` have the names that
# they have there; the others are in `runner.RULES`.
NOT_FOLLOWED = {
    "eval": [
        late('eval("n")'),
        Edit("far away", "studio/tuning.py",
             swap("return pitch * FIFTH", 'return eval("pitch * FIFTH")')),
        Edit("in a method", "studio/voices.py", swap('return "thud"', 'return eval("1")')),
    ],
    "exec": [late('exec("n")'), Edit(
        "before the rest", "studio/chain.py",
        swap("    return smooth(", '    exec("n = n + 1")\n    return smooth(')
    )],
    "globals": [Edit("a function by name", "studio/filters.py", swap(
        "return drive * sample", 'return globals()["ha" + "rd"](sample)'
    ))],
    "locals": [late('locals()["n"]')],
    "compile": [late('compile("n", "", "eval")')],
    "__builtins__": [late("__builtins__")],
    "builtins.eval.": [late('builtins.eval("n")', "builtins")],
    "builtins.exec.": [late('builtins.exec("n")', "builtins")],
    "builtins.globals.": [late("builtins.globals()", "builtins")],
    "builtins.locals.": [late("builtins.locals()", "builtins")],
    "ctypes.": [late("ctypes.CDLL(None).abs(n)", "ctypes")],
    "importlib.reload.": [late("importlib.reload(math)", "importlib", "math")],
    "importlib.util.spec_from": [
        late('importlib.util.spec_from_file_location("x", "x.py")', "importlib.util")
    ],
    "inspect.": [late("inspect.getsource(echo)", "inspect")],
    "marshal.load": [late("marshal.loads(n)", "marshal")],
    "os.environ": [late('os.environ["N"]', "os"), late('os.environb[b"N"]', "os")],
    "os.exec": [late('os.execv("true", [])', "os")],
    "os.getenv": [late('os.getenv("N")', "os"), late('os.getenvb(b"N")', "os")],
    "os.path.expandvars.": [late('os.path.expandvars("$N")', "os")],
    "os.popen.": [late('os.popen("true")', "os")],
    "os.posix_spawn": [late('os.posix_spawn("true", [], {})', "os")],
    "os.spawn": [late('os.spawnl(0, "true")', "os")],
    "os.system.": [late('os.system("true")', "os")],
    "pickle.load": [late("pickle.loads(n)", "pickle"), late("pickle.load(n)", "pickle")],
    "pickle.Unpickler.": [late("pickle.Unpickler(n)", "pickle")],
    "pkgutil.": [late('pkgutil.resolve_name("math:pi")', "pkgutil")],
    "runpy.": [late('runpy.run_path("x.py")', "runpy")],
    "shelve.": [late('shelve.open("x")', "shelve")],
    "subprocess.": [late('subprocess.run(["true"])', "subprocess")],
    "sys.argv.": [late("sys.argv[1]", "sys")],
    "sys.modules.": [late('sys.modules["math"]', "sys")],
    "typing.get_type_hints.": [late("typing.get_type_hints(echo)", "typing")],
    "__annotations__": [late("echo.__annotations__")],
    "__doc__": [late("echo.__doc__")],
    "__subclasses__": [late("int.__subclasses__()")],
    "f_lineno": [late("sys._getframe().f_lineno", "sys")],
    "a computed attribute": [
        Edit("of a module", "demo.py", swap(
            "studio.presets.dull.shade(4)", 'getattr(studio.presets.dull, "sha" + "de")(4)'
        )),
        Edit("far away", "studio/chain.py",
             swap("synth.saw(n", 'getattr(synth, "s" + "aw")(n')),
        late('hasattr(echo, "na" + "me")'),
    ],
    "a computed import": [
        late('importlib.import_module("studio." + "late")', "importlib"),
        late('__import__("ma" + "th")'),
    ],
    "no value": [
        Edit("random state", "studio/late.py", each(
            swap("    return [n,", "    return [n * NUMBERS.random(),"),
            swap("def echo", "import random\n\nNUMBERS = random.Random(3)\n\n\ndef echo"),
        )),
        Edit("a generator that was begun", "studio/late.py", each(
            swap("    return [n,", "    return [n * next(NUMBERS),"),
            swap("def echo", "NUMBERS = iter([1, 2])\nnext(NUMBERS)\n\n\ndef echo"),
        )),
    ],
}  # fmt: skip

FOLLOWED = [
    Edit("getattr with a name", "demo.py", swap(
        "studio.presets.dull.shade(4)", 'getattr(studio.presets.dull, "shade")(4)'
    )),
    Edit("getattr of self", "studio/voices.py",
         swap("self.attack()", 'getattr(self, "att" + "ack")()')),
    Edit("an object with attributes", "studio/filters.py", each(
        swap("return drive * sample", "return drive * sample * KNOB.turn"),
        swap("SHAPES =", "class Knob:\n    turn = 2\n\n\nKNOB = Knob()\nSHAPES ="),
    )),
    Edit("an object that only marks a place", "studio/late.py", each(
        swap("    return [n,", "    return [0 if n is MARK else n,"),
        swap("def echo", "MARK = object()\n\n\ndef echo"),
    )),
    Edit("a lock, a logger, a path and a type", "studio/late.py", each(
        swap("    return [n,", "    return [n if LOCK and LOG and HERE and KIND else 0,"),
        swap("def echo", "import logging\nimport threading\nfrom pathlib import Path\n\n"
             "LOCK = threading.Lock()\nLOG = logging.getLogger(__name__)\n"
             "HERE = Path(__file__)\nKIND = list[int] | None\n\n\ndef echo"),
    )),
]  # fmt: skip
