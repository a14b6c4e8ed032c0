"""Measurements of speed and memory: commands that print a table, and figures with `--json FILE`.

`build_time`, `start_time` and `streaming_memory` measure fresh processes, `key_time` the keys of a
build, `transfer` a store behind a slow link, `page_time` a page as its readers have it,
`serve_time` an edit of a served one, `sound_files` sizes of sounds; `screenshots` makes
pictures. `servers` and `proxy` are the S3 server and the link; `tests/s3` uses them too.

`training_time` prints what a step of training is made of. `encode_time`, `decode_time` and
`published_time` time the codec against `plain_encode`, `plain_sound` and `plain_published`, which
do the same in the plainest way; `pairs` runs both ways in turn and prints ratios.
"""
