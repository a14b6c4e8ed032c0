"""Many builders on one store, and builders that follow one that broke off."""

import pytest

from report.artifacts.store import Store, mirrored_store
from report.errors import StoreError
from report.storage.folder import Folder
from report.storage.s3 import S3
from tests.processes import ROOT, Running
from tests.s3.conftest import in_new_bucket, through
from tests.s3.worker import OWN, SHARED, artifact, names, put

WORKERS = 16


@pytest.fixture(params=["folder", "seaweedfs"])
def place(request, tmp_path):
    """A storage that is empty, and where it is served."""
    if request.param == "folder":
        return Folder(tmp_path / "store"), ""
    weed = request.getfixturevalue("weed")
    return in_new_bucket(weed), weed.url


def test_sixteen_builders_on_one_store_lose_and_tear_nothing(place):
    storage, endpoint = place
    where = (storage.address, endpoint)
    workers = [Running("tests.s3.worker", (*where, str(number)), ROOT) for number in range(WORKERS)]
    results = [worker.wait() for worker in workers]
    assert not any(result.returncode for result in results), [result.stderr for result in results]
    store = Store(storage)
    made = {name for number in range(WORKERS) for name in names(number)}
    for name in made:
        key, data = artifact(name)
        assert store.read(store.find(key)) == data
    n_artifacts = SHARED + WORKERS * OWN
    assert (
        len(storage.entries("objects/"))
        == len(storage.entries("index/"))
        == n_artifacts
        == len(made)
    )
    assert len(storage.entries()) == 2 * n_artifacts, "something else was left behind"


class Counting(S3):
    """A bucket that remembers what was sent to it."""

    def __init__(self, *where):
        super().__init__(*where)
        self.sent = []

    def put(self, name, data, media_type, immutable):
        super().put(name, data, media_type, immutable)
        self.sent.append(name)


def test_what_a_broken_run_could_not_send_is_sent_by_the_next_and_nothing_else(
    storage, proxy, tmp_path, impatient
):
    all_names = [f"own {number}" for number in range(40)]
    broken = mirrored_store(through(proxy, storage), tmp_path / "mirror")
    for name in all_names:
        put(broken, name)
    assert not storage.entries(), "sent before it was asked to"

    def break_off(sent: int, _total: int) -> None:
        if sent == 20:
            proxy.cut_after = 0

    with pytest.raises(StoreError, match="cannot write objects/"):
        broken.flush(break_off)
    arrived, waiting = set(storage.entries()), set(Folder(tmp_path / "mirror/unsent").entries())
    assert len(arrived - waiting) >= 20 and not [
        name for name in arrived if name.startswith("index/")
    ]
    assert len(arrived & waiting) <= broken.storage.parallel, (
        "only of those under way nobody knows whether they arrived"
    )

    _, _, bucket, prefix = storage.address.split("/")
    counting = Counting(bucket, prefix, storage.url.split("/test-")[0])
    mended = mirrored_store(counting, tmp_path / "mirror")
    for name in all_names:
        key, data = artifact(name)
        assert mended.read(mended.find(key)) == data, "to be computed again"
    mended.flush()
    assert set(counting.sent) == waiting and len(storage.entries()) == 2 * len(all_names)
    mended.flush()
    assert len(counting.sent) == len(waiting), "sent twice"
