"""Measure many transfers at a time over a slow link: python -m benchmarks.transfer [--json FILE]

300 objects of 200 kB go to a real SeaweedFS and back, one after the other and then many at a time,
through a proxy that adds latency. Fails below the ratio that is promised.
"""

import argparse
import json
import os
import platform
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import boto3

from benchmarks.proxy import Proxy
from benchmarks.servers import KEY, SECRET, seaweedfs
from report.storage.s3 import S3
from report.storage.transfer import each

OBJECTS, SIZE = 300, 200_000  # bytes each
ROUND_TRIP = 0.05  # seconds that are added
PROMISED = 8  # times as fast


def transfer(storage: S3, name: str, parallel: int) -> dict[str, float]:
    """Return the seconds to put all objects into the folder `name`, and to get them."""
    noise = random.Random(1)
    objects = {f"{name}/{number}.wav": noise.randbytes(SIZE) for number in range(OBJECTS)}

    def put(key: str) -> None:
        storage.put(key, objects[key], "audio/wav", immutable=True)

    def get(key: str) -> None:
        if storage.get(key) != objects[key]:
            sys.exit(f"{key} came back changed")

    return {"put": seconds(put, objects, parallel), "get": seconds(get, objects, parallel)}


def seconds(work: Callable[[str], None], keys: dict[str, bytes], parallel: int) -> float:
    """Return the seconds for the work on all keys."""
    started = time.perf_counter()
    for _ in each(work, keys, parallel):
        pass
    return time.perf_counter() - started


def measure() -> tuple[dict[str, float], dict[str, float], int]:
    """Return seconds one by one and many at a time, and how many at a time these are."""
    os.environ |= {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET}
    os.environ["AWS_DEFAULT_REGION"] = "us-east-1"
    with tempfile.TemporaryDirectory() as folder:
        server = seaweedfs(Path(folder, "server")).start()
        try:
            boto3.client("s3", endpoint_url=server.url).create_bucket(Bucket="transfer")
            with Proxy(int(server.url.rpartition(":")[2])) as proxy:
                proxy.delay = ROUND_TRIP / 2
                storage = S3("transfer", "", proxy.url)
                many = transfer(storage, "many", storage.parallel)
                return transfer(storage, "one", 1), many, storage.parallel
        finally:
            server.stop()


def main() -> int:
    """Measure and print. Returns: the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    args = parser.parse_args()
    one, many, parallel = measure()
    milliseconds = 1000 * ROUND_TRIP
    print(
        f"{OBJECTS} objects of {SIZE / 1000:.0f} kB, {milliseconds:.0f} ms added to each round trip"
    )
    print(f"{'':<6}{'one by one':>14}{f'{parallel} at a time':>14}{'ratio':>8}")
    ratios = {way: one[way] / many[way] for way in one}
    for way, ratio in ratios.items():
        print(f"{way:<6}{one[way]:>12.1f} s{many[way]:>12.1f} s{ratio:>8.1f}")
    if args.json:
        figures = {
            "one_by_one": one,
            "many_at_a_time": many,
            "ratio": ratios,
            "parallel": parallel,
            "round_trip_seconds": ROUND_TRIP,
            "cores": os.cpu_count(),
            "python": platform.python_version(),
        }
        args.json.write_text(json.dumps(figures, indent=1) + "\n")
    return 0 if min(ratios.values()) >= PROMISED else 1


if __name__ == "__main__":
    sys.exit(main())
