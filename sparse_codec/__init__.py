"""The sparse event codec: sound becomes events, and events become sound.

Files on top: `config` has every size, `events` is a clip's event set and its edits, `codec` is
audio -> events -> audio, `stereo` the same for left and right, `checkpoint` the files of models,
`outputs` files that are written whole or not at all.
Folders, in reading order: `audio`, `model`, `coding` (events in files), `training`, `evaluation`,
`cli`; each `__init__.py` says how to read its folder.

A name of the package is imported when it is first used, for PyTorch takes seconds to import.
"""

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING

if find_spec("torch") is None:
    raise ImportError(
        "the codec needs PyTorch, which is not installed: pip install 'sparse-audio-report[codec]'"
    )

if TYPE_CHECKING:
    from sparse_codec.audio.files import (
        AudioError,
        load_audio,
        read_blocks,
        save_audio,
        write_blocks,
    )
    from sparse_codec.checkpoint import CheckpointError, find_checkpoint
    from sparse_codec.codec import SparseCodec
    from sparse_codec.coding.event_file import EventFileError, read_events, write_events
    from sparse_codec.coding.midi import midi_file
    from sparse_codec.coding.priors import Priors
    from sparse_codec.config import (
        CodecConfig,
        ConfigError,
        EncodeOptions,
        TrainingConfig,
        at_effort,
        at_quality,
        read_config,
    )
    from sparse_codec.events import EventSet, join
    from sparse_codec.stereo import encode_stereo

_HOMES = {  # name -> the module that it is imported from
    "AudioError": "audio.files",
    "CheckpointError": "checkpoint",
    "CodecConfig": "config",
    "ConfigError": "config",
    "EncodeOptions": "config",
    "EventFileError": "coding.event_file",
    "EventSet": "events",
    "Priors": "coding.priors",
    "SparseCodec": "codec",
    "TrainingConfig": "config",
    "at_effort": "config",
    "at_quality": "config",
    "encode_stereo": "stereo",
    "find_checkpoint": "checkpoint",
    "join": "events",
    "load_audio": "audio.files",
    "midi_file": "coding.midi",
    "read_blocks": "audio.files",
    "read_config": "config",
    "read_events": "coding.event_file",
    "save_audio": "audio.files",
    "write_blocks": "audio.files",
    "write_events": "coding.event_file",
}

__all__ = [
    "AudioError",
    "CheckpointError",
    "CodecConfig",
    "ConfigError",
    "EncodeOptions",
    "EventFileError",
    "EventSet",
    "Priors",
    "SparseCodec",
    "TrainingConfig",
    "at_effort",
    "at_quality",
    "encode_stereo",
    "find_checkpoint",
    "join",
    "load_audio",
    "midi_file",
    "read_blocks",
    "read_config",
    "read_events",
    "save_audio",
    "write_blocks",
    "write_events",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
