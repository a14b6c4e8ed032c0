"""The sparse event codec.

In reading order: `config` every size; `spectrogram`; `encoder` residual -> candidate events; `decoder` (and
`resonance_decoder`, the published one) events -> spectrograms and sound; `greedy` and `refine` how events are found;
`events` event sets and their edits; `codec` streaming, save and load. Training: `data`, `losses`, `discriminator`,
`pool`, `train`. Measuring: `manifest` the frozen set; `baseline` matching pursuit, `waveform_codecs`; `metrics`,
`variations`, `evaluate`, `words`. `__main__` is the command line.
"""

from sparse_codec.checkpoint import CheckpointError, find_checkpoint
from sparse_codec.codec import SparseCodec
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
