"""Named bytes, wherever they are.

Read `interface.py` first: the protocol, and the check that every name passes. Then the storages:
`folder.py` (and memory), `web.py` (sites and archives, to read only), `conjure_collection.py` (one
of the library conjure) and `s3.py`. The last one sends objects by `s3_uploads.py`, and
`s3_servers.py` is about the errors of servers and the features that some lack. `mirror.py` puts a
folder in front of a slow storage, `transfer.py` runs many transfers at a time, and `addresses.py`
opens the storage that a command line names.
"""
