"""One of many builders that share a store: python -m tests.s3.worker ADDRESS ENDPOINT NUMBER

It makes artifacts that all make and some that only it makes, as a build does: look for each, put it
if it is missing, read it back.
"""

import hashlib
import random
import sys

from report.artifacts.media import Encoded
from report.artifacts.store import Store
from report.storage.addresses import open_storage

SHARED, OWN = 3, 3
LENGTH = 30_000  # bytes of a sound


def artifact(name: str) -> tuple[str, bytes]:
    """The key and the bytes of the artifact `name`."""
    return hashlib.sha256(name.encode()).hexdigest(), random.Random(name).randbytes(LENGTH)


def names(worker: int) -> list[str]:
    return [f"shared {n}" for n in range(SHARED)] + [f"own {worker} {n}" for n in range(OWN)]


def put(store: Store, name: str) -> None:
    key, data = artifact(name)
    made = {name: {} for name in ("arguments", "values", "versions", "machine")}
    record = store.find(key) or store.put(
        Encoded(data, "application/json", {}),
        key=key,
        function="f",
        code=key,
        inputs=[],
        seconds=0.1,
        **made,
    )
    assert store.read(record) == data


if __name__ == "__main__":
    address, endpoint, number = sys.argv[1:]
    store = Store(open_storage(address, endpoint or None))
    for name in random.sample(names(int(number)), SHARED + OWN):
        put(store, name)
