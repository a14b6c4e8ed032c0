"""The sparse event codec.

In reading order: `config` every size; `spectrogram`; `encoder` residual -> candidate events; `decoder` (and
`recurrent_decoder`, a second one, and `resonance_decoder`, the published one) events -> spectrograms and sound;
`greedy` and `refine` how events are found; `events` event sets and their edits; `midi` and `time_codes` how else to
write them; `blocks` audio as it comes; `codec` streaming, save and load; `checkpoint`; `stereo`. Files of events:
`quantise`, `priors`, `event_coding`, `event_file`, `rate`; of sound: `outputs`, `sound_files`. Training: `data`,
`download`, `losses`, `discriminator`, `pool`, `train`. Measuring: `manifest` the frozen set; `baseline` matching
pursuit, `waveform_codecs`; `metrics`, `variations`, `evaluate`, `words`. `__main__` is the command line, with
`event_sets` and a module `cli_*` for each kind of command.
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
