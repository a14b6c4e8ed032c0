"""Tasks side by side, in copies of this process.

`forks` has the copies, and `Forks`, a `concurrent.futures` executor. The package knows nothing of
reports and codecs.
"""
