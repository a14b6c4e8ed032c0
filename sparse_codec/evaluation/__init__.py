"""Measure how good a model is. Read in this order:

- `frozen_set`: the segments that are measured, frozen in a manifest
- `measure`: figures of a codec and of its rivals on these segments
- `metrics`: figures of sounds and onsets, from other packages
- `pursuit`, `waveform_codecs`: the rivals, matching pursuit and codecs of samples
- `variations`: changes of events, which a listener should hear
- `tables`: figures as Markdown tables
- `words`: word errors of a recogniser on speech through the codec and its rivals
- `speech_codecs`: the rivals for speech, Codec2 and WORLD
"""
