"""Sound in and out. Read in this order:

- `blocks`: audio as blocks of samples, mixed down, resampled, cut into segments
- `files`: sound files of any format, block by block
- `recordings`: folders of recordings to train on and to measure
- `download`: data sets from where they are published
"""
