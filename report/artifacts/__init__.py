"""Sounds, figures and data, computed once and kept with a record of how they were made.

Read `media.py` (objects to bytes; those of numbers by `arrays.py`), `record.py` (a record, and the
checks when it is read; they use `fields.py`), `store.py` (both in a storage), and `session.py`:
`@conjure` and the key of a call. `several.py` is about calls that return several media.
`machine.py` describes the machine, for the records.
"""
