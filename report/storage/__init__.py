"""Named bytes, wherever they are.

Read `interface.py` first: the protocol, and the check that every name passes. Then the storages:
`folder.py` (and memory), `s3.py`, `web.py` (sites and archives, to read only) and `collection.py`
(of the library conjure). `mirror.py` puts a folder in front of a slow one, `transfer.py` runs many
transfers at a time, and `addresses.py` opens the storage that a command line names.
"""
