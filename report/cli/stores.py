"""Open the places that a command line names."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from report.errors import ReportError
from report.storage.addresses import open_storage
from report.storage.interface import Storage

if TYPE_CHECKING:
    from report.artifacts.store import Store


def open_place(address: str, args: argparse.Namespace) -> Storage:
    """Return the storage at an address, opened as the `server_options` say."""
    return open_storage(address, args.endpoint_url, args.profile)


def open_store(args: argparse.Namespace) -> Store:
    """Return the store that --store names; one in a bucket has a mirror in the folder --cache."""
    from report.artifacts.store import Store, mirrored_store

    storage = open_place(args.store, args)
    if not args.store.startswith("s3://"):
        return Store(storage)
    name = sha256(f"{args.endpoint_url} {storage.address}".encode()).hexdigest()[:16]
    return mirrored_store(storage, args.cache / f"mirror-{name}")


def check_built(store: Store, scripts: Iterable[Path] = ()) -> None:
    """Raise ReportError unless articles were built with a store, and `scripts` among them."""
    articles = store.builds()
    address = store.storage.address
    if not articles:
        raise ReportError(
            f"no article was built with a store at {address}; name another with --store"
        )
    for script in scripts:
        if script.stem not in articles:
            raise ReportError(f"{script} was not built with the store at {address}; build it first")
