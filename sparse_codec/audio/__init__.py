"""Sound in and out. Read in this order:

- `blocks`: audio as blocks of samples, mixed down, resampled, cut into segments
- `streams`: where the streams of sound in a file begin and end, whatever its header says
- `decoder`: each stream opened and decoded to its end
- `files`: sound files of any format, block by block, in and out
- `folders`: the files below a folder
- `recordings`: folders of recordings to train on and to measure
- `download`: data sets from where they are published
"""
