"""The receiver keeps whole answers to the tests of a site, once each, and nothing else."""

import json
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
import urllib3
import uvicorn

from report.errors import ReportError
from report.listening.answers import LARGEST, read_answers
from report.listening.receiver import DATE, Box, Limiter, Refused, make_app
from tests.report.listening.asked import designs_of
from tests.report.listening.listeners import clicker, honest, make_design

DESIGN = make_design("mushra", 4)
PAGE = "https://page.example"


@contextmanager
def receiving(folder, *designs, origins=(PAGE,), limiter=None, **options):
    """Yield a function that sends a request, and the box."""
    box = Box(folder, designs or [DESIGN], **options)
    app = make_app(box, origins, limiter or Limiter(10**6, 10**6))
    config = uvicorn.Config(app, port=0, log_level="error", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    pool = urllib3.PoolManager()

    def send(data, method="POST", **headers):
        headers = {"Content-Type": "application/json", "Origin": PAGE} | headers
        url = f"http://127.0.0.1:{port}/"
        return pool.request(method, url, body=data, headers=headers, retries=False)

    try:
        yield send, box
    finally:
        pool.clear()
        server.should_exit = True
        thread.join()


def said(response) -> str:
    return json.loads(response.data)["error"]


def kept(folder) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_answers_are_kept_by_their_hash_and_say_what_was_sent(tmp_path):
    with receiving(tmp_path) as (send, _):
        response = send(honest(DESIGN, 1))
    assert response.status == 201
    ((name, data),) = kept(tmp_path).items()
    assert name == json.loads(response.data)["kept"] + ".json"
    assert read_answers(data) == read_answers(honest(DESIGN, 1))


def test_nothing_says_who_sent_them_or_when(tmp_path):
    with receiving(tmp_path) as (send, _):
        send(honest(DESIGN, 1), **{"User-Agent": "Browser of Ada", "Referer": f"{PAGE}/secret"})
    (file,) = tmp_path.iterdir()
    assert file.stat().st_mtime == file.stat().st_atime == DATE
    text = file.read_text()
    assert not any(word in text for word in ("127.0.0.1", "Ada", "secret", "page.example"))
    assert set(json.loads(text)) == set(json.loads(honest(DESIGN, 1)))


def test_pages_at_the_origin_may_send_and_others_may_not(tmp_path):
    with receiving(tmp_path) as (send, _):
        asked = {
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "content-type",
        }
        before = send(None, "OPTIONS", **asked)
        assert before.status == 200
        assert before.headers["Access-Control-Allow-Origin"] == PAGE
        assert send(None, "OPTIONS", Origin="https://other.example", **asked).status == 400
        response = send(honest(DESIGN, 1), Origin="https://other.example")
        assert response.status == 403 and "Access-Control-Allow-Origin" not in response.headers
        assert not kept(tmp_path)
        assert send(honest(DESIGN, 1)).headers["Access-Control-Allow-Origin"] == PAGE


def test_only_post_is_answered(tmp_path):
    with receiving(tmp_path) as (send, _):
        send(honest(DESIGN, 1))
        assert {send(None, method).status for method in ("GET", "PUT", "DELETE")} == {405}
    assert len(kept(tmp_path)) == 1


def test_duplicates_are_refused_and_change_nothing(tmp_path):
    with receiving(tmp_path) as (send, _):
        assert send(honest(DESIGN, 1)).status == 201
        before = kept(tmp_path)
        spaced = json.dumps(json.loads(honest(DESIGN, 1)), indent=2).encode()
        for same in (honest(DESIGN, 1), spaced):
            assert (send(same).status, said(send(same))) == (409, "these answers are here already")
        other = clicker(DESIGN, 1)  # by the same listener
        assert (send(other).status, said(send(other))) == (
            409,
            "this listener has answered already",
        )
        assert kept(tmp_path) == before
    with receiving(tmp_path) as (send, box):  # and again after a restart
        assert box.count == 1
        assert send(other).status == 409 and send(honest(DESIGN, 1)).status == 409


@pytest.mark.parametrize(
    ("data", "status", "words"),
    [
        (b"", 422, "no JSON"),
        (b"{}", 422, "format is missing"),
        (b"x" * (LARGEST + 1), 413, "at most"),
        (honest(make_design("mushra", 4, token="t"), 1), 422, "of no test of this site"),
    ],
)
def test_what_is_no_answer_to_a_test_here_is_refused(tmp_path, data, status, words):
    with receiving(tmp_path) as (send, _):
        response = send(data)
    assert response.status == status and words in said(response)
    assert not kept(tmp_path)


def test_a_token_is_asked_for(tmp_path):
    design = make_design("mushra", 4, token="from the letter")
    stranger = json.loads(honest(design, 1)) | {"token": None}
    with receiving(tmp_path, design) as (send, _):
        response = send(json.dumps(stranger).encode())
        assert response.status == 422 and said(response) == "without the token of the test"
        assert send(honest(design, 1)).status == 201


def test_floods_are_refused_and_addresses_are_forgotten(tmp_path, monkeypatch):
    limiter = Limiter(from_one=2, from_all=3)
    with receiving(tmp_path, limiter=limiter) as (send, _):
        assert [send(honest(DESIGN, n)).status for n in range(3)] == [201, 201, 429]
    limiter.check("10.0.0.9")
    with pytest.raises(Refused, match="try again in a minute"):
        limiter.check("10.0.0.10")  # all together
    assert b"127.0.0.1" not in b"".join(limiter._counts)
    later = time.monotonic() + 61
    monkeypatch.setattr("report.listening.receiver.time.monotonic", lambda: later)
    limiter.check("127.0.0.1")
    assert len(limiter._counts) == 1


def test_a_full_folder_takes_no_more(tmp_path):
    with receiving(tmp_path, most_files=2) as (send, _):
        assert [send(honest(DESIGN, n)).status for n in range(3)] == [201, 201, 507]
    assert len(kept(tmp_path)) == 2


def test_a_file_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with receiving(tmp_path) as (send, _):
        response = send(honest(DESIGN, 1))
        assert response.status == 507 and not kept(tmp_path)
        monkeypatch.undo()
        assert send(honest(DESIGN, 1)).status == 201


def test_a_file_of_another_process_is_not_replaced(tmp_path, monkeypatch):
    """Even if it comes between the look for it and the writing."""
    box = Box(tmp_path, [DESIGN])
    other = Box(tmp_path, [DESIGN])
    name = other.add(honest(DESIGN, 1))
    (tmp_path / name).write_bytes(b"theirs")
    for _ in range(2):
        with pytest.raises(Refused, match="here already"):
            box.add(honest(DESIGN, 1))
        assert kept(tmp_path) == {name: b"theirs"}
        monkeypatch.setattr(Path, "exists", lambda _: False)


def test_a_folder_that_can_not_be_made_is_a_clear_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ReportError, match="can not keep answers in"):
        Box(tmp_path / "file" / "answers", [DESIGN])


def test_the_command_serves_the_tests_of_a_site_and_logs_nothing_of_who_sends(asking, tmp_path):
    into = tmp_path / "answers"
    command = [sys.executable, "-m", "report", "ratings", "serve", "--site", str(asking / "site")]
    running = subprocess.Popen(
        [*command, "--into", str(into), "--port", "0", "--origin", PAGE],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert "0 answers; pages at https://page.example may send" in running.stdout.readline()
        address = running.stdout.readline().split()[-1]
        design = designs_of(asking / "site")["mushra"]
        headers = {"Origin": PAGE, "User-Agent": "Browser of Ada"}
        for seed, status in ((1, 201), (1, 409), (2, 201)):
            data = honest(design, seed)
            response = urllib3.request("POST", address, body=data, headers=headers)
            assert response.status == status, response.data
    finally:
        running.terminate()
        rest = running.communicate()[0]
    assert rest.replace(f"{into}: 2 answers\n", "") == ""
    assert len(kept(into)) == 2


def test_answers_are_not_kept_where_everyone_can_read(asking):
    site = asking / "site"
    command = [sys.executable, "-m", "report", "ratings", "serve", "--site", str(site)]
    done = subprocess.run(
        [*command, "--into", str(site / "answers")], capture_output=True, text=True
    )
    assert done.returncode == 1 and "is in the site, where everyone can read" in done.stderr
