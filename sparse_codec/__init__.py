"""The sparse event codec.

In reading order: `config` every size; `spectrogram`; `encoder` residual -> candidate events; `decoder` (and
`resonance_decoder`, the published one) events -> spectrograms and sound; `events` event sets and their edits;
`codec` the greedy loop, streaming, save and load; `data`; `losses`, `discriminator`, `train`; `baseline` matching
pursuit; `evaluate`; `__main__` the command line.
"""

from sparse_codec.codec import CheckpointError, SparseCodec, find_checkpoint
from sparse_codec.config import CodecConfig, ConfigError, EncodeOptions, TrainingConfig, read_config
from sparse_codec.data import AudioError, load_audio
from sparse_codec.events import EventSet

__all__ = [
    "AudioError",
    "CheckpointError",
    "CodecConfig",
    "ConfigError",
    "EncodeOptions",
    "EventSet",
    "SparseCodec",
    "TrainingConfig",
    "find_checkpoint",
    "load_audio",
    "read_config",
]
