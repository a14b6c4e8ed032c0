"""From article scripts to a published site, by the command line, on a real server."""

import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from benchmarks.proxy import Proxy
from report.artifacts.record import unseal
from report.site.locate import open_site
from report.storage.s3 import S3
from report.storage.web import Web
from tests.processes import Running
from tests.s3.conftest import in_new_bucket, port

ARTICLE = '''"""Ramps"""
import numpy as np
from report import Player, Sound, conjure

LEVEL = 0.5

@conjure
def ramp(n: int) -> Sound:
    open("computed.log", "a").write(f"{n}\\n")
    return Sound(np.linspace(-LEVEL, LEVEL, n), 8000)

# %%
[Player(ramp(n), f"Ramp of {n}") for n in range(100, 100 + COUNT)]
'''


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "ramps.py").write_text(ARTICLE.replace("COUNT", "5"))
    return tmp_path


def report(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    return Running("report", arguments, folder).wait()


def build(folder: Path, bucket: S3, url: str, *arguments: str) -> subprocess.CompletedProcess:
    where = ["--store", f"{bucket.address}/store", "--endpoint-url", url]
    return report(folder, "build", "ramps.py", *where, *arguments)


def computed(folder: Path) -> int:
    log = folder / "computed.log"
    return len(log.read_text().splitlines()) if log.exists() else 0


def test_another_machine_finds_in_the_bucket_what_was_computed_here(weed, folder, tmp_path_factory):
    bucket = in_new_bucket(weed)
    assert build(folder, bucket, weed.url).returncode == 0 and computed(folder) == 5
    other = tmp_path_factory.mktemp("other")
    (other / "ramps.py").write_text((folder / "ramps.py").read_text())
    done = build(other, bucket, weed.url)
    assert done.returncode == 0 and computed(other) == 0, done.stderr
    assert (other / "site" / "ramps.html").read_bytes() == (
        folder / "site" / "ramps.html"
    ).read_bytes()
    assert not list(folder.rglob("*.unfinished"))


def test_a_warm_build_asks_for_nothing_object_by_object(weed, folder):
    (folder / "ramps.py").write_text(ARTICLE.replace("COUNT", "60"))
    bucket = in_new_bucket(weed)
    with Counted(port(weed)) as server:
        assert build(folder, bucket, server.url).returncode == 0
        server.requests = 0
        assert build(folder, bucket, server.url).returncode == 0
    assert (
        computed(folder) == 60 and server.requests <= 4
    )  # the bucket, what was built last, and that it was built now


class Counted(Proxy):
    """Counts the requests that pass."""

    requests = 0

    async def _copy(self, source, drain, is_answer):
        class Watched:
            async def read(inner, n):
                data = await source.read(n)
                if not is_answer:
                    self.requests += len(re.findall(rb"(?m)^(?:GET|PUT|HEAD|POST|DELETE) /", data))
                return data

        await super()._copy(Watched(), drain, is_answer)


def test_a_store_that_fails_leaves_the_old_site_and_the_next_run_goes_on(weed, folder):
    bucket = in_new_bucket(weed)
    assert build(folder, bucket, weed.url).returncode == 0
    before = (folder / "site" / "ramps.html").read_bytes()
    (folder / "ramps.py").write_text(ARTICLE.replace("COUNT", "8"))
    with Proxy(port(weed)) as proxy:
        proxy.cut_after = 1500
        failed = build_impatiently(folder, bucket, proxy.url)
        assert failed.returncode == 1 and re.search("^error: .*broke off", failed.stderr, re.M), (
            failed.stderr
        )
        assert os.environ["AWS_SECRET_ACCESS_KEY"] not in failed.stdout + failed.stderr
    assert (folder / "site" / "ramps.html").read_bytes() == before
    done = build(folder, bucket, weed.url)
    assert done.returncode == 0 and computed(folder) == 8, done.stderr  # nothing was computed twice


def build_impatiently(folder: Path, bucket: S3, url: str) -> subprocess.CompletedProcess:
    arguments = ["build", "ramps.py", "--store", f"{bucket.address}/store", "--endpoint-url", url]
    setup = "import report.storage.s3\nreport.storage.s3.PATIENCE = 1"
    return Running("report", arguments, folder, setup).wait()


def test_a_site_is_published_in_one_command_and_everyone_can_read_and_check_it(weed, folder):
    bucket = in_new_bucket(weed)
    endpoint = weed.url
    target = f"{bucket.address}/site"
    done = report(
        folder, "build", "ramps.py", "--publish", target, "--public", "--endpoint-url", endpoint
    )
    assert done.returncode == 0 and "media files sent: 5" in done.stdout, done.stderr
    url = f"{endpoint}/{bucket.address.removeprefix('s3://')}/site"
    site = open_site(Web(url))
    assert len([name for name in site.manifest.files if name.startswith("media/")]) == 5
    assert report(folder, "verify", url).returncode == 0
    assert report(folder, "verify", target, "--endpoint-url", endpoint).returncode == 0
    again = report(folder, "publish", target, "--endpoint-url", endpoint)
    assert "media files sent: 0" in again.stdout
    name = next(name for name in bucket.entries("site/media/"))
    data = bytearray(bucket.get(name))
    data[50] ^= 1
    bucket.put(name, bytes(data), "audio/flac", immutable=False)
    for place in ([url], [target, "--endpoint-url", endpoint]):
        found = report(folder, "verify", *place)
        assert found.returncode == 1 and name.removeprefix("site/") in found.stdout
    mended = report(folder, "publish", target, "--endpoint-url", endpoint)
    assert "media files sent: 1" in mended.stdout and report(folder, "verify", url).returncode == 0


def test_every_address_that_is_printed_can_be_verified(weed, folder):
    target = f"{in_new_bucket(weed).address}/my site"
    server = ("--endpoint-url", weed.url.replace("//", "//me:secret@"))
    built = report(folder, "build", "ramps.py", "--publish", target, "--public", *server)
    copied = report(folder, "publish", "my folder")
    printed = re.findall(r"^open (\S+)$", built.stdout, re.M)
    places = [*([url] for url in printed), *commands(built), *commands(copied)]
    places += [[str(folder / "my folder" / "index.html")], [f"{target}/index.html", *server]]
    assert [url.partition(":")[0] for url in printed] == ["file", "http"] and len(places) == 6
    assert "secret" not in built.stdout
    for place in places:
        done = report(folder, "verify", *place)
        assert done.returncode == 0 and "none wrong" in done.stdout, (place, done.stderr)


def commands(done: subprocess.CompletedProcess) -> list[list[str]]:
    """What to verify, as the program says."""
    lines = re.findall(r"^check it: python -m report verify (.*)$", done.stdout, re.M)
    assert done.returncode == 0 and lines, done.stderr
    return [shlex.split(line) for line in lines]


def test_a_bucket_that_can_not_be_used_is_said_before_anything_is_computed(weed, folder):
    done = build(folder, S3("no-such-bucket-here", "", weed.url), weed.url)
    assert (
        done.returncode == 1 and "there is no such bucket" in done.stderr and computed(folder) == 0
    )
    assert not (folder / "site").exists()


def test_what_the_store_holds_has_no_credentials(weed, folder):
    bucket = in_new_bucket(weed)
    assert build(folder, bucket, weed.url).returncode == 0
    secret = os.environ["AWS_SECRET_ACCESS_KEY"].encode()
    kept = [bucket.get(name) for name in bucket.entries()]
    kept += [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    assert kept and not any(secret in data for data in kept)
    assert unseal(bucket.get("store/builds/ramps.json"))["article"] == "ramps"
