"""Measure how good a model is. Read in this order:

- `frozen_set`: the segments that are measured, frozen in a manifest
- `measure`: figures of a codec and of its rivals on these segments
- `metrics`: figures of sounds and onsets, from other packages
- `pursuit`, `waveform_codecs`: the rivals, matching pursuit and codecs of samples
- `variations`: changes of events, which a listener should hear
- `tables`: figures as Markdown tables
- `words`: word errors of a recogniser on speech that went through the codec
"""
