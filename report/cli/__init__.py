"""The commands of `python -m report` and of build_site.py. In reading order:

`program` says what a command line is about and holds the options that several commands share, and
`stores` opens the places that options name. `new`, `build`, `serve`, `explain` and `sites` hold the
commands: for each its options, then its action, and a table of all at the end. `main` runs one.
"""
