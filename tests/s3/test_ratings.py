"""Pages send answers to a bucket by a presigned POST, and `ratings` reads them there."""

import base64
import json
import subprocess
import sys
from datetime import UTC, datetime

import urllib3

from benchmarks.servers import Server
from report.listening.answers import LARGEST
from report.storage.s3 import S3
from tests.report.listening.asked import designs_of
from tests.report.listening.listeners import honest
from tests.s3.conftest import client_of, in_new_bucket

PAGE = "https://page.example"


def ratings(*words: object) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "report", "ratings", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True)


def form_of(server: Server, bucket: S3, *options: str) -> dict:
    done = ratings("post", "--bucket", bucket.address, "--endpoint-url", server.url, *options)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def send(form: dict, name: str, data: bytes, **changed: str) -> urllib3.BaseHTTPResponse:
    """Send a file as the page does: the fields, then the file."""
    fields = {**form["fields"], **changed, "file": (name, data, "application/json")}
    headers = {"Origin": PAGE}
    return urllib3.request("POST", form["url"], fields=fields, headers=headers, retries=False)


def test_answers_come_into_the_bucket_and_are_analysed_there(weed, asking):
    bucket = in_new_bucket(weed, "answers")
    design = designs_of(asking / "site")["mushra"]
    form = form_of(weed, bucket, "--origin", PAGE)
    for seed in range(5):
        answer = send(form, f"{design.id}-{seed}.json", honest(design, seed))
        assert answer.status in (200, 201, 204), answer.data
        assert answer.headers["Access-Control-Allow-Origin"] in (PAGE, "*")
    names = [
        entry["Key"]
        for entry in client_of(weed).list_objects_v2(Bucket=bucket.address.split("/")[2])[
            "Contents"
        ]
    ]
    assert names == [f"answers/{design.id}-{seed}.json" for seed in range(5)]
    site = asking / "site"
    done = ratings(bucket.address, "--site", site, "--endpoint-url", weed.url)
    assert done.returncode == 0, done.stderr
    assert "5 listeners count, 0 rejected" in done.stdout


def test_what_is_too_large_or_goes_elsewhere_is_refused_by_the_server(weed):
    bucket = in_new_bucket(weed, "answers")
    form = form_of(weed, bucket)
    assert send(form, "a.json", b"x" * (LARGEST + 1)).status == 400
    assert send(form, "a.json", b"{}", key="elsewhere/${filename}").status == 403
    assert send(form, "a.json", b"{}", **{"Content-Type": "text/html"}).status == 403
    assert not bucket.entries()


def test_a_form_holds_for_the_days_that_are_asked_for(weed):
    form = form_of(weed, in_new_bucket(weed, "answers"), "--days", "2")
    assert form["fields"]["x-amz-algorithm"] == "AWS4-HMAC-SHA256"
    policy = json.loads(base64.b64decode(form["fields"]["policy"]))
    left = datetime.fromisoformat(policy["expiration"]) - datetime.now(UTC)
    assert 1.9 < left.total_seconds() / (24 * 3600) <= 2
    assert ratings("post", "--bucket", "s3://answers", "--days", "8").returncode == 1


def test_files_in_a_bucket_that_are_no_answers_are_refused_by_name(weed, asking):
    bucket = in_new_bucket(weed, "answers")
    bucket.put("large.json", b" " * (LARGEST + 1), "application/json", False)
    bucket.put("other.txt", b"words", "text/plain", False)
    done = ratings(bucket.address, "--site", asking / "site", "--endpoint-url", weed.url)
    assert done.returncode == 1
    assert f"refused {bucket.address}/large.json: {LARGEST + 1} bytes are too many" in done.stdout
    assert "other.txt" not in done.stdout


def test_pages_that_may_send_take_nothing_from_those_that_may_read(weed):
    bucket = in_new_bucket(weed, "answers")
    bucket.allow_origins(["https://reader.example"])
    for _ in range(2):  # the second time in place of the first
        bucket.allow_posts([PAGE])
    name = bucket.address.split("/")[2]
    rules = client_of(weed).get_bucket_cors(Bucket=name)["CORSRules"]
    allowed = {tuple(rule["AllowedOrigins"]): rule["AllowedMethods"] for rule in rules}
    assert allowed == {("https://reader.example",): ["GET", "HEAD"], (PAGE,): ["POST"]}
    assert len(rules) == 2
