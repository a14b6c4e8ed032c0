"""The sparse event codec: sound becomes events, and events become sound.

Files on top: `config` has every size, `events` is a clip's event set and its edits, `codec` is
audio -> events -> audio, `stereo` the same for left and right, `checkpoint` the files of models,
`outputs` files that are written whole or not at all.
Folders, in reading order: `audio`, `model`, `coding` (events in files), `training`, `evaluation`,
`cli`; each `__init__.py` says how to read its folder.
"""

from sparse_codec.audio.files import AudioError, load_audio, read_blocks, save_audio, write_blocks
from sparse_codec.checkpoint import CheckpointError, find_checkpoint
from sparse_codec.codec import SparseCodec
from sparse_codec.coding.event_file import EventFileError, read_events, write_events
from sparse_codec.coding.midi import midi_file
from sparse_codec.coding.priors import Priors
from sparse_codec.config import CodecConfig, ConfigError, EncodeOptions, TrainingConfig, read_config
from sparse_codec.events import EventSet, join
from sparse_codec.stereo import encode_stereo

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
