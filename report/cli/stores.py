"""Open the store that a command line names."""

import argparse
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

from report.artifacts.mirror import Mirror
from report.artifacts.store import Store
from report.errors import ReportError
from report.storage.addresses import open_storage


def built_store(store: Store, scripts: Iterable[Path] = ()) -> Store:
    """The store, if articles were built with it, and these scripts among them."""
    built = store.builds()
    if not built:
        raise ReportError(
            f"no article was built with a store at {store.storage.address}; name another with --store"
        )
    for script in scripts:
        if script.stem not in built:
            raise ReportError(
                f"{script} was not built with the store at {store.storage.address}; build it first"
            )
    return store


def open_store(args: argparse.Namespace) -> Store:
    """The store that was asked for; one behind a network is mirrored in a folder of its own."""
    storage = open_storage(args.store, args.endpoint_url, args.profile)
    if not args.store.startswith("s3://"):
        return Store(storage)
    name = sha256(f"{args.endpoint_url} {storage.address}".encode()).hexdigest()[:16]
    return Store(Mirror(storage, args.cache / f"mirror-{name}"))
