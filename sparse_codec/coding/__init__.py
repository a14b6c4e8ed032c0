"""Events in files. Read in this order:

- `channels`: windows of events, mono or left and right
- `quantise`: the numbers of events become whole numbers, and back
- `priors`: tables of how likely each whole number is, for a checkpoint
- `entropy`: the events of a window become bytes, bit for bit or rounded
- `event_file`: `.events` files, window by window
- `rate`: how finely to round so that a file has a given rate
- `in_memory`: a clip's `.events` file as bytes, for measurements
- `midi`: events as notes
- `formats`: event sets in `.events`, JSON, MIDI and sound files, with the codec that made them
"""
