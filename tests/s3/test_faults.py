"""Faults of the network: each is named in one line and in time, and leaves nothing half-written."""

import datetime
import random
import signal
import socket
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import botocore.auth
import pytest

from benchmarks.proxy import NEVER, Proxy
from benchmarks.servers import KEY, SECRET, rclone, seaweedfs
from report.artifacts.media import Encoded
from report.artifacts.store import Store
from report.errors import StoreError
from report.storage.addresses import open_storage
from report.storage.s3 import S3
from report.storage.s3_uploads import PART
from report.storage.transfer import each
from report.storage.web import Web
from tests.s3.conftest import (
    READER,
    WRITER,
    client_of,
    hasten,
    in_new_bucket,
    port,
    running,
    through,
)

SOUND = random.Random(5).randbytes(200_000)
AT_START, IN_THE_MIDDLE = 10, 60  # seconds within which an error has to be told
MADE = {"key": "ab" * 32, "function": "demos.f", "code": "c0" * 32, "seconds": 0.5, "inputs": []}
MADE |= {name: {} for name in ("arguments", "values", "versions", "machine")}
SECRETS = (KEY, SECRET, *READER.values(), *WRITER.values())


@contextmanager
def refused(words: str, within: float):
    """Expect a failure in so many seconds, its message one line that matches and has no secrets."""
    started = time.monotonic()
    with pytest.raises(StoreError, match=words) as caught:
        yield
    assert time.monotonic() - started < within
    chain, error = [], caught.value
    while error:
        chain += [str(error), repr(error)]
        error = error.__cause__
    assert not [secret for secret in SECRETS if secret in " ".join(chain)]
    assert "\n" not in str(caught.value)


@contextmanager
def served(handler: type[BaseHTTPRequestHandler]):
    """The address of a web server that answers so."""
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,)).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


def use(monkeypatch, keys: dict[str, str]) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", keys["accessKey"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", keys["secretKey"])


# ---- at the start


def test_nothing_listens():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with refused(
            "cannot open the bucket: nothing answers there; is the server running", AT_START
        ):
            open_storage(
                "s3://bucket/report", f"http://{KEY}:{SECRET}@127.0.0.1:{taken.getsockname()[1]}"
            )


def test_a_port_accepts_and_never_answers(proxy, monkeypatch):
    hasten(monkeypatch, 4)
    proxy.silent = True
    with refused("the server accepts connections and does not answer", AT_START / 4):
        open_storage("s3://bucket/report", proxy.url)


@pytest.mark.parametrize("server", ["seaweedfs", "rclone"])
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("AWS_ACCESS_KEY_ID", "the server does not know the access key; check AWS_ACCESS_KEY_ID"),
        ("AWS_SECRET_ACCESS_KEY", "the secret key is wrong; check AWS_SECRET_ACCESS_KEY"),
    ],
)
def test_a_wrong_key(request, server, name, words, monkeypatch):
    url = request.getfixturevalue("weed" if server == "seaweedfs" else "rclone_server").url
    monkeypatch.setenv(name, "wrong-and-secret")
    with refused(words, AT_START):
        open_storage("s3://bucket/report", url)


def test_no_bucket(either):
    with refused(
        "there is no such bucket; create it, or correct the address "
        ".s3://no-such-bucket/report at http",
        AT_START,
    ):
        open_storage("s3://no-such-bucket/report", either.url)


def test_no_permission_to_look(storage, weed, monkeypatch):
    use(monkeypatch, WRITER)
    with refused("no permission for ListObjectsV2 .AccessDenied.; ask the owner", AT_START):
        open_storage(storage.address, weed.url)


def test_no_credentials(weed, monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with refused("no credentials were found; set AWS_ACCESS_KEY_ID", AT_START):
        open_storage("s3://bucket/report", weed.url)
    with refused("ProfileNotFound: .*nobody", AT_START):
        open_storage("s3://bucket/report", weed.url, profile="nobody")


@pytest.mark.parametrize("hours", [-2, 2])
def test_a_wrong_clock(either, hours, monkeypatch):
    now = botocore.auth.get_current_datetime
    shift = datetime.timedelta(hours=hours)
    monkeypatch.setattr(
        botocore.auth,
        "get_current_datetime",
        lambda *args, **options: now(*args, **options) + shift,
    )
    with refused("clocks here and at the server differ; set the clock of this machine", AT_START):
        open_storage("s3://bucket/report", either.url)


def test_a_web_server_that_is_no_object_storage():
    class Web(BaseHTTPRequestHandler):
        def do_GET(self):  # noqa: N802, the name that http.server looks for
            self.send_error(404)

        def log_message(self, *_):
            pass

    with (
        served(Web) as url,
        refused("the server refuses ListObjectsV2 .*is it the right S3 server", AT_START),
    ):
        open_storage("s3://bucket/report", url)


# ---- in the middle


def test_no_permission_to_write(storage, weed, monkeypatch):
    storage.put("objects/aa/a.wav", SOUND, "audio/wav", immutable=True)
    use(monkeypatch, READER)
    reader = open_storage(storage.address, weed.url)
    assert reader.get("objects/aa/a.wav") == SOUND
    for name, size in (("objects/bb/b.wav", 10), ("objects/cc/c.wav", PART + 1)):
        with refused(f"cannot write {name}: no permission for .*ask the owner of the bucket", 5):
            reader.put(name, bytes(size), "audio/wav", immutable=True)
    with refused("cannot delete objects/aa/a.wav: no permission for DeleteObject", 5):
        reader.delete("objects/aa/a.wav")
    with refused("cannot let everyone read by a bucket policy: no permission", 5):
        reader.allow_reading()
    assert list(storage.entries()) == ["objects/aa/a.wav"]


@pytest.mark.parametrize("size", [1_000_000, PART + 4_000_000], ids=["at once", "in parts"])
@pytest.mark.parametrize(
    "full",
    [(seaweedfs, "-volume.max=2", "-master.volumeSizeLimitMB=1"), (rclone, 500_000)],
    ids=["seaweedfs", "rclone"],
)
def test_a_full_disk(full, size, tmp_path, impatient):
    make, *options = full
    with running(make, tmp_path / "data", *options) as server:
        storage = in_new_bucket(server)
        with refused("cannot write .*: the server failed to write .*and whether its disk is", 30):
            for number in range(20):
                storage.put(
                    f"objects/{number:02}/a.wav",
                    bytes([number]) * size,
                    "audio/wav",
                    immutable=True,
                )
        for name, entry in storage.entries().items():
            assert entry.bytes == size and len(set(storage.get(name))) == 1, "half an object"


def test_a_server_that_says_that_its_disk_is_full_is_not_asked_again():
    asked = []

    class Full(BaseHTTPRequestHandler):
        def do_PUT(self):  # noqa: N802, the name that http.server looks for
            asked.append(self.path)
            self.send_error(507)

        def log_message(self, *_):
            pass

    with (
        served(Full) as url,
        refused("cannot write a.wav: the disk of the server is full; make room there", 5),
    ):
        S3("bucket", "report", url).put("a.wav", b"sound", "audio/wav", immutable=True)
    assert asked == ["/bucket/report/a.wav"]


def test_an_object_that_vanishes(storage):
    store = Store(storage)
    record = store.put(Encoded(SOUND, "audio/wav", {}), **MADE)
    storage.delete(f"objects/{record.sha256[:2]}/{record.name}")
    with refused(
        f"cannot read objects/.*{record.name}: there is no such object .*; build with --force", 5
    ):
        store.read(record)


def test_an_object_that_is_damaged_where_it_is_stored(storage, weed):
    store = Store(storage)
    record = store.put(Encoded(SOUND, "audio/wav", {}), **MADE)
    key = f"report/objects/{record.sha256[:2]}/{record.name}"
    for damaged in (SOUND[:-1], SOUND[:-1] + b"?"):
        client_of(weed).put_object(Bucket=storage.address.split("/")[2], Key=key, Body=damaged)
        with refused(f"{record.name} in s3://.* is damaged", 5):
            store.read(record)
        store.forget(record.key)
        store.put(Encoded(SOUND, "audio/wav", {}), **MADE)
        assert store.read(record) == SOUND, "making it again did not heal it"


def test_the_network_cuts_an_answer_off(storage, proxy, impatient):
    storage.put("objects/aa/a.wav", SOUND, "audio/wav", immutable=True)
    storage.allow_reading()
    behind = through(proxy, storage)
    proxy.cut_after = 100_000
    with refused("cannot read objects/aa/a.wav: the connection broke off before the last byte", 10):
        behind.get("objects/aa/a.wav")
    with refused("cannot read http.*: the connection broke off before the end", 10):
        Web(behind.url).get("objects/aa/a.wav")


def test_the_network_comes_back_in_time(storage, proxy, monkeypatch):
    pauses = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            proxy.cut_after = NEVER

    storage.put("objects/aa/a.wav", SOUND, "audio/wav", immutable=True)
    proxy.cut_after = 100_000
    monkeypatch.setattr("report.storage.s3.time.sleep", pause)
    assert through(proxy, storage).get("objects/aa/a.wav") == SOUND
    assert pauses == [0.2, 0.4, 0.8]


def test_an_upload_that_stalls(storage, proxy, impatient, monkeypatch):
    monkeypatch.setattr("report.storage.s3.CONNECT", 0.5)
    monkeypatch.setattr("report.storage.s3.READ", 0.5)
    behind = through(proxy, storage)
    proxy.silent = True
    with refused("cannot write objects/aa/a.wav: ", 20):
        behind.put("objects/aa/a.wav", bytes(PART), "audio/wav", immutable=True)
    assert storage.entries() == {}


def test_parts_of_an_upload_that_failed_do_not_stay(storage, weed, monkeypatch):
    def fail(*_arguments, **_options):
        raise KeyboardInterrupt

    monkeypatch.setattr(storage._client, "complete_multipart_upload", fail)
    with pytest.raises(KeyboardInterrupt):
        storage.put("objects/aa/a.wav", bytes(PART + 1), "audio/wav", immutable=True)
    assert "Uploads" not in client_of(weed).list_multipart_uploads(
        Bucket=storage.address.split("/")[2]
    )
    assert storage.entries() == {}


def test_a_server_that_is_killed_and_started_again_costs_only_time(tmp_path, monkeypatch):
    monkeypatch.setattr("report.storage.s3.LONGEST_PAUSE", 0.2)
    objects = {
        f"objects/{number:02x}/a.wav": random.Random(number).randbytes(50_000)
        for number in range(60)
    }

    def put(name: str) -> None:
        storage.put(name, objects[name], "audio/wav", immutable=True)

    with running(seaweedfs, tmp_path / "data") as server:
        storage = in_new_bucket(server)
        for done, _ in enumerate(each(put, objects, storage.parallel), start=1):
            if done == 20:
                server.stop(signal.SIGKILL)
                threading.Thread(target=server.start).start()
        assert {name: storage.get(name) for name in storage.entries()} == objects


def test_in_the_middle_of_a_transfer_every_fault_is_told_within_a_minute(
    storage, weed, monkeypatch
):
    hasten(monkeypatch, 6)
    storage.put("objects/aa/a.wav", SOUND, "audio/wav", immutable=True)
    storage.allow_reading()
    faults = {"silent": True, "stall_after": 100_000, "cut_after": 100_000}

    def meet(case: tuple[str, type]) -> None:
        fault, kind = case
        with Proxy(port(weed)) as proxy:
            setattr(proxy, fault, faults[fault])
            behind = through(proxy, storage)
            with refused(
                "cannot read .*objects/aa/a.wav: (the server|the connection)", IN_THE_MIDDLE / 6
            ):
                (behind if kind is S3 else Web(behind.url)).get("objects/aa/a.wav")

    cases = [(fault, kind) for fault in faults for kind in (S3, Web)]
    assert len(list(each(meet, cases, len(cases)))) == len(cases)
