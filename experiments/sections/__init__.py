"""The parts of an article, on the way of a clip to the page.

`sounds`, `parts` and `pictures` compute one artifact with each function. `examples` computes all
artifacts of a clip, and then shows them; `event_names`, `pitches` and `timbre` say what its events
are like, and what a change of them does.
`lesson` shows how a codec works, on a clip.
`evaluation`, with `event_files`, shows stored figures, `ablations` the tables of "What we tried",
`listening` clips by every method, and `about` the texts.
"""
