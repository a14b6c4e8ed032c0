"""Get data sets from where they are published: download with resume, check, unpack."""

from __future__ import annotations

import hashlib
import http.client
import tarfile
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tqdm import tqdm

from sparse_codec.outputs import make_folder

BLOCK = 2**20  # bytes
TRIES = 5  # in a row that bring no byte
TIMEOUT = 60  # seconds without a byte
BREAKS = (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError)


class DownloadError(ValueError):
    """A download that failed; the message names the address and the fix."""


@dataclass(frozen=True)
class RemoteFile:
    """A published file and its checksum."""

    url: str
    algorithm: str  # "md5" or "sha256"
    digest: str

    @property
    def name(self) -> str:
        """The last part of the address."""
        return self.url.rsplit("/", 1)[1]


@dataclass(frozen=True)
class DataSet:
    """An archive that holds one folder, and other files that belong into that folder."""

    archive: RemoteFile
    others: tuple[RemoteFile, ...] = ()


ZENODO = "https://zenodo.org/records/5120004/files"
DATA_SETS = {
    "musicnet": DataSet(
        RemoteFile(f"{ZENODO}/musicnet.tar.gz", "md5", "844764911fa0d5b97c97da944a057590"),
        (RemoteFile(f"{ZENODO}/musicnet_metadata.csv", "md5", "1caef62cee9c875235e62aac368b49d8"),),
    ),
    "ljspeech": DataSet(
        RemoteFile(
            "https://data.keithito.com/data/speech/LJSpeech-1.1.tar.bz2",
            "sha256",
            "be1a30453f28eb8dd26af4101ae40cbf2c50413b1bb21936cbcdc6fae3de8aa5",
        )
    ),
}


def fetch_data_set(data_set: DataSet, name: str, folder: Path) -> Path:
    """Download and unpack into `folder`/`name`, unless that exists; return its path.

    The archive is deleted once it is unpacked. Raises: DownloadError; OSError.
    """
    target = folder / name
    if target.exists():
        return target
    make_folder(folder)
    archive, *others = (
        download(file, folder / file.name) for file in (data_set.archive, *data_set.others)
    )
    with TemporaryDirectory(dir=folder, prefix=f"{name}.", suffix=".part") as place:
        unpacked = unpack(archive, Path(place))
        for file in others:
            file.replace(unpacked / file.name)
        unpacked.replace(target)
    archive.unlink()
    return target


def unpack(archive: Path, folder: Path) -> Path:
    """Unpack an archive into `folder`, and never outside it; return the one folder it holds.

    Raises: DownloadError for an archive that is damaged, hostile or holds something else.
    """
    try:
        with tarfile.open(archive) as files:
            files.extractall(folder, filter="data")
    except (tarfile.TarError, EOFError) as error:
        reason = str(error).splitlines()[0].rstrip(":")
        raise DownloadError(
            f"{archive}: cannot be unpacked ({reason}); delete it and run again"
        ) from error
    entries = list(folder.iterdir())
    if len(entries) != 1 or not entries[0].is_dir():
        raise DownloadError(
            f"{archive}: holds {len(entries)} files instead of one folder; delete it and run again"
        )
    return entries[0]


def download(file: RemoteFile, target: Path) -> Path:
    """Download to `target`, from where an earlier run broke off; an existing file is left alone.

    Raises: DownloadError if the server cannot be reached, or sends other bytes than the published.
    """
    if target.exists():
        return target
    partial = target.with_name(target.name + ".part")
    partial.touch()
    with tqdm(desc=file.name, unit="B", unit_scale=True, disable=None) as bar:
        _receive_all(file.url, partial, bar)
    _check(file, partial)
    return partial.replace(target)


def _receive_all(url: str, partial: Path, bar: tqdm) -> None:
    """Append the missing bytes, and try again if the server breaks off. Raises: DownloadError."""
    tries = TRIES
    while tries:
        before = partial.stat().st_size
        try:
            return _receive(url, partial, bar)
        except BREAKS as error:
            if isinstance(error, urllib.error.HTTPError) and error.code < 500:
                raise DownloadError(
                    f"{url}: the server says {error.code} {error.reason}"
                ) from error
            tries = tries - 1 if partial.stat().st_size == before else TRIES
            reason = getattr(error, "reason", error)
    raise DownloadError(f"{url}: broke off ({reason}); run again, it goes on where it was")


def _receive(url: str, partial: Path, bar: tqdm) -> None:
    """Append the missing bytes. Raises: one of BREAKS if the server breaks off."""
    n_bytes = partial.stat().st_size
    request = urllib.request.Request(url, headers={"Range": f"bytes={n_bytes}-"} if n_bytes else {})
    try:
        response = urllib.request.urlopen(request, timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:  # no byte is missing
            return
        raise
    with response, partial.open("ab") as file:
        if response.status != http.HTTPStatus.PARTIAL_CONTENT:  # the server sends all of it again
            file.truncate(0)
            n_bytes = 0
        left = response.length
        bar.total, bar.n = left and n_bytes + left, n_bytes
        while block := response.read(BLOCK):
            file.write(block)
            bar.update(len(block))
        if response.length:
            raise http.client.IncompleteRead(b"", response.length)


def _check(file: RemoteFile, partial: Path) -> None:
    """Delete a file with another checksum than the published. Raises: DownloadError."""
    with partial.open("rb") as data:
        digest = hashlib.file_digest(data, file.algorithm).hexdigest()
    if digest != file.digest:
        partial.unlink()
        raise DownloadError(
            f"{file.url}: has the {file.algorithm} {digest}, published is {file.digest};"
            " what came was deleted: run again, and if it stays so, fetch the file by hand"
        )
