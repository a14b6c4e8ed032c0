"""An article whose artifacts reach code in every way that Python has, and are named after it."""

import functools
import json
from pathlib import Path

import chimes
import numpy as np
import resonator
import spare
import studio
import studio.presets.bright as preset
from studio import chain, filters, pluck
from studio.noise import *  # noqa: F403
from studio.noise import rumble
from studio.settings import Checkpoint, Room, Settings, faded, leveled, mixed
from studio.synth import bell, saw, sine, triangle
from studio.synth import square as block
from studio.takes import Bell, render, take
from studio.tuning import A4, NAMES, ensemble, fifth, floored, limited, span
from studio.voices import Drum, Flute, Voice

from report import Data, Figure, Sound, conjure

DATA = Path(__file__).parent / "data"
GAIN = float((DATA / "gain.txt").read_text())
LEVELS = np.loadtxt(DATA / "levels.txt")
ROOMS = json.loads((DATA / "rooms.json").read_text())
ROOM = Room(ROOMS["size"])
SEED = 7
LISTED = [Checkpoint(DATA / "checkpoint.txt"), "a model in a list"]


def for_no_artifact():
    spare.tune(1)


# %% [markdown]
# ## What is written in the artifact itself


# %%
@conjure
def own_code(n: int = 16) -> Sound:
    """A tone that rises."""
    phase = np.cumsum(np.linspace(0.01, 0.2, n))  # in periods
    level = 0.5
    if n > 1_000:
        level = 0.25
    return Sound(level * np.sin(2 * np.pi * phase), 8000)


@conjure
def own_words(pitch=440.0) -> Data:
    return Data({"pitch": f"{pitch:.2f} Hz", "note": "a", "octave": int(pitch) // 100})


@conjure
def own_figure() -> Figure:
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(1, 1))
    axes.plot(sine(8))
    return Figure(figure, "a line that swings")


# %% [markdown]
# ## Functions that it reaches


# %%
@conjure
def direct() -> Data:
    return Data(sine(8).tolist())


@conjure
def two_modules_away() -> Data:
    return Data(chain.phrase(5))


@conjure
def through_relative_import() -> Data:
    return Data(chain.buzz(5))


@conjure
def through_package() -> Data:
    return Data(pluck(4))


@conjure
def through_alias() -> Data:
    return Data(block(5))


@conjure
def through_import_as() -> Data:
    return Data(preset.shine(4))


@conjure
def through_attributes() -> Data:
    return Data(studio.presets.dull.shade(4))


@conjure
def through_star() -> Data:
    return Data(hiss(3))  # noqa: F405


@conjure
def through_nested_function() -> Data:
    def wave():
        return saw(6)

    return Data(wave())


@conjure
def through_lambda() -> Data:
    return Data(sorted(range(5), key=lambda i: triangle(i)))


@conjure
def through_local_import() -> Data:
    from studio.late import echo

    return Data(echo(1))


@conjure
def through_table() -> Data:
    return Data(filters.SHAPES["soft"](3))


@conjure
def through_factory() -> Data:
    return Data(filters.WARM(2))


@conjure
def through_default(shape=filters.clip) -> Data:
    return Data(shape(2))


@conjure
def through_partial() -> Data:
    return Data(functools.partial(filters.scale, 2)([1, 2]))


@conjure
def through_map() -> Data:
    return Data(list(map(filters.quantise, [0.123, 0.456])))


@conjure
def through_locals() -> Data:
    return Data(bell(4))


@conjure
def call(n) -> Data:
    return Data(["call", *response(n - 1).value] if n else [])


@conjure
def response(n) -> Data:
    return Data(["response", *call(n - 1).value] if n else [])


# %% [markdown]
# ## Classes and decorators


# %%
@conjure
def of_class() -> Data:
    return Data(Voice.low().play(4))


@conjure
def of_subclass() -> Data:
    return Data(Flute(220).play(4))


@conjure
def of_decorated() -> Data:
    return Data(take(3))


@conjure
def of_dispatched() -> Data:
    return Data(render("la"))


@conjure
def of_decorated_class() -> Data:
    return Data(Bell().ring())


@conjure
def of_attribute(drum: Drum | None = None) -> Data:
    return Data((drum or Drum()).hit())


# %% [markdown]
# ## Constants, globals and defaults


# %%
@conjure
def of_constant() -> Data:
    return Data(A4)


@conjure
def of_table() -> Data:
    return Data(NAMES["e"])


@conjure
def of_distant_constant() -> Data:
    return Data(fifth(2))


@conjure
def of_limit() -> Data:
    return Data(limited(list(range(20))))


@conjure
def of_span() -> Data:
    return Data(span())


@conjure
def of_branch() -> Data:
    return Data(ensemble())


@conjure
def of_global() -> Data:
    return Data(GAIN)


@conjure
def of_distant_global() -> Data:
    return Data(floored(0))


@conjure
def of_global_array() -> Data:
    return Data(LEVELS.tolist())


@conjure
def of_global_dict() -> Data:
    return Data(ROOMS["title"])


@conjure
def of_global_room() -> Data:
    return Data(ROOM.size)


@conjure
def of_default() -> Data:
    return Data(mixed(3))


@conjure
def of_default_lambda() -> Data:
    return Data(faded(3))


@conjure
def of_default_call() -> Data:
    return Data(leveled(3))


@conjure
def of_field_default() -> Data:
    room = Room()
    return Data([room.size, room.wet])


# %% [markdown]
# ## Libraries


# %%
@conjure
def of_library() -> Data:
    return Data(resonator.ring(2))


@conjure
def of_renamed_library() -> Data:
    return Data(chimes.strike(2))


# %% [markdown]
# ## Arguments, seeds and devices


# %%
@conjure
def value(x, gain=1.0, *, width=2) -> Data:
    return Data([x, gain, width])


@conjure
def array(x) -> Data:
    return Data(x.tolist())


@conjure
def mapping(x) -> Data:
    return Data(sorted(x))


@conjure
def collection(x) -> Data:
    return Data(sorted(x))


@conjure
def file(path) -> Data:
    return Data(path.read_text())


@conjure
def folder(path) -> Data:
    return Data([child.read_text() for child in sorted(path.iterdir())])


@conjure
def settings(x: Settings) -> Data:
    return Data([x.pitch, x.seed, x.loudest()])


@conjure
def checkpoint(model: Checkpoint) -> Data:
    return Data(model.predict(2))


@conjure
def checkpoint_among(models: dict) -> Data:
    return Data(models["large"][0].predict(3))


@conjure
def global_checkpoint() -> Data:
    return Data(LISTED[0].predict(4))


@conjure
def source() -> Data:
    return Data([1, 2])


@conjure
def result(before) -> Data:
    return Data(sum(before.value))


@conjure
def seeded(seed: int) -> Data:
    return Data(np.random.default_rng(seed).random())


@conjure
def seeded_by_constant() -> Data:
    return Data(np.random.default_rng(SEED).random())


@conjure
def seeded_inside() -> Data:
    return Data(np.random.default_rng(3).random())


@conjure
def seeded_far_away() -> Data:
    return Data(rumble(1))


# %% [markdown]
# ## The calls

# %%
own_code()
own_words()
own_figure()

# %%
direct()
two_modules_away()
through_relative_import()
through_package()
through_alias()
through_import_as()
through_attributes()
through_star()
through_nested_function()
through_lambda()
through_local_import()
through_table()
through_factory()
through_default()
through_partial()
through_map()
through_locals()
call(2)
assert response(2).value[0] == "response"

# %%
of_class()
of_subclass()
of_decorated()
of_dispatched()
of_decorated_class()
of_attribute()
of_constant()
of_table()
of_distant_constant()
of_limit()
of_span()
of_branch()
of_global()
of_distant_global()
of_global_array()
of_global_dict()
of_global_room()
of_default()
of_default_lambda()
of_default_call()
of_field_default()
of_library()
of_renamed_library()

# %%
value(3)
array(np.arange(6.0).reshape(2, 3))
mapping({"low": 1, "high": [2, 3]})
collection({"flute", "voice", "drum"})
file(DATA / "here" / "score.txt")
folder(DATA / "here" / "takes")
settings(Settings(440.0))
checkpoint(Checkpoint(DATA / "checkpoint.txt", device="cpu"))
checkpoint_among({"large": (Checkpoint(DATA / "checkpoint.txt", device="cuda:0"), "spare")})
global_checkpoint()
result(source())
seeded(5)
seeded_by_constant()
seeded_inside()
seeded_far_away()
