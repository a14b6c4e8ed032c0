"""Check a site by its manifest: every file is there, is whole, and is what it says it is. Needs nothing but Python.

    python site.zip                     an exported archive checks itself
    python selfcheck.py SITE            checks the folder or archive SITE

It imports nothing of the project, because a copy of it is in every archive.
"""

import hashlib
import json
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

SCHEMA = 2
MANIFEST = "manifest.json"
SUMS = "SHA256SUMS"  # in an archive: of what is no part of the site, such as sources
UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    RuntimeError,
)  # what a damaged archive's files raise


def serialise(value: object) -> bytes:
    """The only way in which a manifest is written, so that a changed byte is found even where it is only a space."""
    return (
        json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"
    ).encode()


def digest(manifest: dict) -> str:
    """SHA-256 over all of a manifest but its own field `sha256`."""
    rest = {name: value for name, value in manifest.items() if name != "sha256"}
    return hashlib.sha256(serialise(rest)).hexdigest()


def parse(data: bytes) -> dict:
    """The manifest in these bytes. Raises: ValueError if it is not as it was written, or not of this schema."""
    try:
        manifest = json.loads(data)
        schema = manifest.get("schema") if isinstance(manifest, dict) else None
        if schema != SCHEMA:
            raise ValueError(f"its schema is {schema!r}, not {SCHEMA}")
        if serialise(manifest) != data or manifest.get("sha256") != digest(manifest):
            raise ValueError("it does not hash to what it says")
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    return manifest


def wrong_with(
    data: bytes, sha256: str, length: int | None = None, media_type: str | None = None
) -> str:
    """What is wrong with the bytes of a file of which this much is stated; empty if nothing is."""
    if length is not None and len(data) != length:
        return f"damaged: {len(data)} bytes, not {length}"
    if (found := hashlib.sha256(data).hexdigest()) != sha256:
        return f"damaged: its bytes hash to {found[:16]}…, not {sha256[:16]}…"
    fine = media_type is None or _is(data, media_type)
    return "" if fine else f"not {media_type}, which the manifest says it is"


def check(
    names: Iterable[str],
    read: Callable[[str], bytes],
    by: str,
    stated: Callable[[bytes], dict[str, tuple]],
) -> Iterator[tuple[str, str]]:
    """(name, what is wrong with it, or nothing) for the file `by` and for all files that it or `names` has.

    `stated` makes of the bytes of `by` what `wrong_with` is to hold against each file. Only what is among `names` is
    read, whatever `by` names. Raises: what `read` raises.
    """
    names = set(names)
    try:
        files = stated(read(by))
    except (ValueError, TypeError, KeyError, AttributeError, *UNREADABLE) as error:
        yield by, f"damaged: {error}"
        return
    yield by, ""
    for name in sorted((names | files.keys()) - {by}):
        if name not in files:
            yield name, f"not named by {by}"
        elif name not in names:
            yield name, "missing"
        else:
            yield name, _wrong_file(name, read, files[name])


def by_manifest(data: bytes) -> dict[str, tuple]:
    """What a manifest states of each file. Raises: ValueError, TypeError, KeyError, AttributeError."""
    files = parse(data)["files"]
    return {
        name: (file["sha256"], file["bytes"], file["media_type"]) for name, file in files.items()
    }


def by_sums(data: bytes) -> dict[str, tuple]:
    """What a file as `sha256sum` writes it states of each file. Raises: ValueError."""
    lines = [line.split("  ", 1) for line in data.decode().splitlines()]
    return {name: (sha256,) for sha256, name in lines}


def _wrong_file(name: str, read: Callable[[str], bytes], stated: tuple) -> str:
    try:
        return wrong_with(read(name), *stated)
    except UNREADABLE as error:
        return f"damaged: {error}"


def _is(data: bytes, media_type: str) -> bool:
    try:
        match media_type:
            case "audio/wav":
                return data[:4] == b"RIFF" and data[8:12] == b"WAVE"
            case "image/webp":
                return data[:4] == b"RIFF" and data[8:12] == b"WEBP"
            case "image/png":
                return data.startswith(b"\x89PNG\r\n\x1a\n")
            case "application/json":
                json.loads(data)
                return True
            case "text/html":
                return data.decode().lower().startswith("<!doctype html>")
            case "text/css" | "text/javascript" | "text/plain":
                return "\0" not in data.decode()
    except (ValueError, RecursionError):
        pass
    return False


def _open(place: Path) -> tuple[list[str], Callable[[str], bytes]]:
    """The names of all files of a folder or archive, and how to read one."""
    if place.is_dir():
        names = [path.relative_to(place).as_posix() for path in place.rglob("*") if path.is_file()]
        return names, lambda name: (place / name).read_bytes()
    archive = zipfile.ZipFile(place)
    return archive.namelist(), archive.read


def site_folder(names: Iterable[str]) -> str:
    """Where in a place the site is: at its top ("") or in its one folder that has a manifest ("name/").

    Raises: ValueError.
    """
    found = [
        name.removesuffix(MANIFEST)
        for name in names
        if name.count("/") < 2 and name.split("/")[-1] == MANIFEST
    ]
    if "" in found:
        return ""
    if len(found) != 1:
        raise ValueError(f"{len(found)} of its folders have a {MANIFEST}; one has to")
    return found[0]


def main(arguments: list[str]) -> int:
    """Check the folder or archive that is named, or else the one that this file is in; returns the exit code."""
    place = Path(arguments[0]) if arguments else Path(__file__).parent
    try:
        names, read = _open(place)
        folder = site_folder(names)
        inside = [name.removeprefix(folder) for name in names if name.startswith(folder)]
        results = list(check(inside, lambda name: read(folder + name), MANIFEST, by_manifest))
        beside = [name for name in names if not name.startswith(folder)]
        if SUMS in names or (beside and place.is_file()):
            results += check(beside, read, SUMS, by_sums)
    except (OSError, ValueError, KeyError, *UNREADABLE) as error:
        print(f"{place}: {error}")
        return 1
    findings = [f"{name}: {wrong}" for name, wrong in results if wrong]
    print(*findings, f"{place}: files checked: {len(results)}, wrong: {len(findings)}", sep="\n")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
