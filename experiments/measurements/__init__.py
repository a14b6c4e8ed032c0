"""Measurements that the articles quote: commands that each write a JSON file beside the script.

`command_line` has the options that they share, `rows` the names of their rows, and `write_tables`
writes tables into the documents. `rate_distortion` measures files of events, for the
articles on music and speech. The others are for the article "What we tried": `switches` of the
configuration, `encoding_options`, `looking_further`, `consistent_sound`, `second_decoder`, and
`compare_time_codes`, which compares the codes in `time_codes`. `scale` is for `docs/scale.md`.
"""
