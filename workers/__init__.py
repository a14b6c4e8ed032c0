"""Tasks side by side: in copies of this process, or in the workers of a Dask cluster.

`signals` lets SIGTERM end a program as Ctrl-C does. `forks` has the copies, and `Forks`, a
`concurrent.futures` executor; `cluster` opens that or one of a Dask cluster, and has what the two
share. The package knows nothing of reports and codecs.
"""
