"""Audio to train on and to cut clips from: commands, each of which makes a folder of recordings.

`music` renders scores, `speech` joins telephone prompts, and `clips` cuts the shipped clips from
both.
"""
