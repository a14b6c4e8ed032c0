"""Check a site by its manifest: every file is there, is whole, and is of its type.

    python site.zip                     an exported archive checks itself
    python selfcheck.py SITE            checks the folder or archive SITE

This file imports nothing but Python's standard library, because every archive has a copy of it.
"""

import hashlib
import json
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

SCHEMA = 2
MANIFEST = "manifest.json"
SUMS = "SHA256SUMS"  # in an archive: checksums of the files that are not the site's, as sources
UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError)  # raised by damaged archives

Expected = tuple[str, int | None, str | None]  # SHA-256, length, media type; None: not stated


def serialise(value: object) -> bytes:
    """Return the bytes of a manifest. There is one spelling only, so that any change shows."""
    text = json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return f"{text}\n".encode()


def digest(manifest: dict[str, Any], write: Callable[[object], bytes] = serialise) -> str:
    """Return the SHA-256 of all of a manifest but its own field `sha256`.

    write: `serialise`, or what gives the same bytes faster.
    """
    rest = {name: value for name, value in manifest.items() if name != "sha256"}
    return hashlib.sha256(write(rest)).hexdigest()


def parse(data: bytes, write: Callable[[object], bytes] = serialise) -> dict[str, Any]:
    """Return the manifest in these bytes. `write` is as in `digest`.

    Raises: ValueError if it is not as it was written, or has another schema.
    """
    try:
        manifest = json.loads(data)
        schema = manifest.get("schema") if isinstance(manifest, dict) else None
        if schema != SCHEMA:
            raise ValueError(f"its schema is {schema!r}, not {SCHEMA}")
        if write(manifest) != data or manifest.get("sha256") != digest(manifest, write):
            raise ValueError("it does not hash to what it says")
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    return manifest


def check_bytes(data: bytes, expected: Expected) -> str:
    """Return how `data` differs from its stated hash, length and type; "" if it matches."""
    sha256, length, media_type = expected
    if length is not None and len(data) != length:
        return f"damaged: {len(data)} bytes, not {length}"
    actual = hashlib.sha256(data).hexdigest()
    if actual != sha256:
        return f"damaged: its bytes hash to {actual[:16]}…, not {sha256[:16]}…"
    if media_type is not None and not _is_of_type(data, media_type):
        return f"not {media_type}, which the manifest says it is"
    return ""


def check_files(
    names: Iterable[str],
    read: Callable[[str], bytes],
    index: str,
    entries_of: Callable[[bytes], dict[str, Expected]],
) -> Iterator[tuple[str, str]]:
    """Check files against the file `index`, which lists them. Yields (name, problem or "").

    names: of all files that are there. Nothing else is read, whatever `index` lists.
    entries_of: parses the bytes of `index`.
    Raises: the errors of `read`.
    """
    present = set(names)
    try:
        entries = entries_of(read(index))
    except (ValueError, TypeError, KeyError, AttributeError, *UNREADABLE) as error:
        yield index, f"damaged: {error}"
        return
    yield index, ""
    for name in sorted((present | entries.keys()) - {index}):
        if name not in entries:
            yield name, f"not named by {index}"
        elif name not in present:
            yield name, "missing"
        else:
            yield name, _check_file(name, read, entries[name])


def manifest_entries(data: bytes) -> dict[str, Expected]:
    """Parse a manifest. Raises: ValueError, TypeError, KeyError, AttributeError."""
    files = parse(data)["files"]
    return {
        name: (file["sha256"], file["bytes"], file["media_type"]) for name, file in files.items()
    }


def checksum_entries(data: bytes) -> dict[str, Expected]:
    """Parse a file as `sha256sum` writes it. Raises: ValueError."""
    lines = [line.split("  ", 1) for line in data.decode().splitlines()]
    return {name: (sha256, None, None) for sha256, name in lines}


def _check_file(name: str, read: Callable[[str], bytes], expected: Expected) -> str:
    try:
        return check_bytes(read(name), expected)
    except UNREADABLE as error:
        return f"damaged: {error}"


def _is_of_type(data: bytes, media_type: str) -> bool:
    try:
        match media_type:
            case "audio/flac":
                return data.startswith(b"fLaC")
            case "audio/wav":
                return data[:4] == b"RIFF" and data[8:12] == b"WAVE"
            case "image/webp":
                return data[:4] == b"RIFF" and data[8:12] == b"WEBP"
            case "image/png":
                return data.startswith(b"\x89PNG\r\n\x1a\n")
            case "application/json":
                json.loads(data)
                return True
            case "application/x-npy":
                return data.startswith(b"\x93NUMPY")
            case "application/x-safetensors":
                return data[8:9] == b"{"
            case "text/html":
                return data.decode().lower().startswith("<!doctype html>")
            case "text/css" | "text/javascript" | "text/plain":
                return "\0" not in data.decode()
    except (ValueError, RecursionError):
        pass
    return False


def _open(place: Path) -> tuple[list[str], Callable[[str], bytes]]:
    """Return the names of all files of a folder or archive, and a function that reads one."""
    if place.is_dir():
        names = [path.relative_to(place).as_posix() for path in place.rglob("*") if path.is_file()]
        return names, lambda name: (place / name).read_bytes()
    archive = zipfile.ZipFile(place)
    return archive.namelist(), archive.read


def site_folder(names: Iterable[str]) -> str:
    """Return the folder of a place that the site is in, with a slash; "" is the place itself.

    names: of all files at the place.
    Raises: ValueError unless the place, or exactly one of its folders, has a manifest.
    """
    folders = []
    for name in names:
        if name.count("/") < 2 and name.split("/")[-1] == MANIFEST:
            folders.append(name.removesuffix(MANIFEST))
    if "" in folders:
        return ""
    if len(folders) != 1:
        raise ValueError(f"{len(folders)} of its folders have a {MANIFEST}; one has to")
    return folders[0]


def main(arguments: list[str]) -> int:
    """Check the given folder or archive, or else the one that this file is in.

    Returns: the exit code.
    """
    place = Path(arguments[0]) if arguments else Path(__file__).parent
    try:
        results = list(_check_place(place))
    except (OSError, ValueError, KeyError, *UNREADABLE) as error:
        print(f"{place}: {error}")
        return 1
    problems = [f"{name}: {problem}" for name, problem in results if problem]
    print(*problems, f"{place}: files checked: {len(results)}, wrong: {len(problems)}", sep="\n")
    return 1 if problems else 0


def _check_place(place: Path) -> Iterator[tuple[str, str]]:
    """Check the site, and the files beside it by their checksums. Yields (name, problem or "")."""
    names, read = _open(place)
    folder = site_folder(names)
    inside = [name.removeprefix(folder) for name in names if name.startswith(folder)]
    yield from check_files(inside, lambda name: read(folder + name), MANIFEST, manifest_entries)
    beside = [name for name in names if not name.startswith(folder)]
    if SUMS in names or (beside and place.is_file()):
        yield from check_files(beside, read, SUMS, checksum_entries)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
