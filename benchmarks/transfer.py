"""How much many transfers at a time gain over a slow link: python -m benchmarks.transfer

300 objects of 200 kB go to a real SeaweedFS and back, one after the other and then many at a time, through a proxy that
adds latency. Prints a table, writes the figures to a JSON file, and fails below the ratio that is promised.
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
from urllib.parse import urlsplit

import boto3

from benchmarks.proxy import Proxy
from benchmarks.servers import KEY, SECRET, seaweedfs
from report.storage.s3 import S3
from report.storage.transfer import each

OBJECTS, SIZE = 300, 200_000  # of so many bytes
ROUND_TRIP = 0.05  # seconds that are added
PROMISED = 8  # times as fast


def transfer(storage: S3, name: str, parallel: int) -> dict[str, float]:
    """Seconds to put all objects under the folder `name`, and to get them."""
    noise = random.Random(1)
    objects = {f"{name}/{number}.wav": noise.randbytes(SIZE) for number in range(OBJECTS)}

    def put(key: str) -> None:
        storage.put(key, objects[key], "audio/wav", immutable=True)

    def get(key: str) -> None:
        if storage.get(key) != objects[key]:
            sys.exit(f"{key} came back changed")

    return {"put": seconds(put, objects, parallel), "get": seconds(get, objects, parallel)}


def seconds(work: Callable[[str], None], keys: dict[str, bytes], parallel: int) -> float:
    started = time.perf_counter()
    for _ in each(work, keys, parallel):
        pass
    return time.perf_counter() - started


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--json", type=Path, default=Path("transfer.json"))
    args = parser.parse_args()
    os.environ |= {
        "AWS_ACCESS_KEY_ID": KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    with tempfile.TemporaryDirectory() as folder:
        server = seaweedfs(Path(folder, "server")).start()
        try:
            boto3.client("s3", endpoint_url=server.url).create_bucket(Bucket="transfer")
            with Proxy(urlsplit(server.url).port) as proxy:
                proxy.delay = ROUND_TRIP / 2
                storage = S3("transfer", "", proxy.url)
                many, one = transfer(storage, "many", storage.parallel), transfer(storage, "one", 1)
        finally:
            server.stop()
    print(
        f"{OBJECTS} objects of {SIZE / 1000:.0f} kB, {1000 * ROUND_TRIP:.0f} ms added to each round trip"
    )
    print(f"{'':<6}{'one by one':>14}{f'{storage.parallel} at a time':>14}{'ratio':>8}")
    ratios = {way: one[way] / many[way] for way in one}
    for way, ratio in ratios.items():
        print(f"{way:<6}{one[way]:>12.1f} s{many[way]:>12.1f} s{ratio:>8.1f}")
    figures = {
        "one_by_one": one,
        "many_at_a_time": many,
        "ratio": ratios,
        "parallel": storage.parallel,
    }
    figures |= {
        "round_trip_seconds": ROUND_TRIP,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
    }
    args.json.write_text(json.dumps(figures, indent=1) + "\n")
    return 0 if min(ratios.values()) >= PROMISED else 1


if __name__ == "__main__":
    sys.exit(main())
