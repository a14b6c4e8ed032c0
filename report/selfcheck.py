"""Check a site by its manifest: every file is there, is whole, and is what it says it is. Needs nothing but Python.

    python site.zip                     an exported archive checks itself
    python selfcheck.py SITE            checks the folder or archive SITE

It imports nothing of the project, because a copy of it is in every archive.
"""

import hashlib
import json
import sys
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

SCHEMA = 2
MANIFEST = "manifest.json"


def serialise(value: object) -> bytes:
    """The only way in which a manifest is written, so that a changed byte is found even where it is only a space."""
    return (json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n").encode()


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


def wrong_with(data: bytes, sha256: str, length: int, media_type: str) -> str:
    """What is wrong with the bytes of a file that the manifest describes so; empty if nothing is."""
    if len(data) != length:
        return f"damaged: {len(data)} bytes, not {length}"
    if (found := hashlib.sha256(data).hexdigest()) != sha256:
        return f"damaged: its bytes hash to {found[:16]}…, not {sha256[:16]}…"
    return "" if _is(data, media_type) else f"not {media_type}, which the manifest says it is"


def check(names: Iterable[str], read: Callable[[str], bytes]) -> Iterator[tuple[str, str]]:
    """(name, what is wrong with it, or nothing) for the manifest and for every file that it or `names` has.

    Only what is among `names` is read, whatever the manifest names. Raises: what `read` raises, KeyError, TypeError.
    """
    names = set(names)
    try:
        files = parse(read(MANIFEST))["files"]
    except ValueError as error:
        yield MANIFEST, f"damaged: {error}"
        return
    yield MANIFEST, ""
    for name in sorted(names | files.keys()):
        if name == MANIFEST:
            continue
        if name not in files:
            yield name, "not named by the manifest"
        elif name not in names:
            yield name, "missing"
        else:
            stated = [files[name][field] for field in ("sha256", "bytes", "media_type")]
            yield name, _unreadable(name, read) or wrong_with(read(name), *stated)


def _unreadable(name: str, read: Callable[[str], bytes]) -> str:
    """What an archive's own checksums say of a file."""
    try:
        read(name)
    except zipfile.BadZipFile as error:
        return f"damaged: {error}"
    return ""


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
    found = [name.removesuffix(MANIFEST) for name in names if name.count("/") < 2 and name.split("/")[-1] == MANIFEST]
    if "" in found:
        return ""
    if len(found) != 1:
        raise ValueError(f"{len(found)} of its folders have a {MANIFEST}; one has to")
    return found[0]


def main(arguments: list[str]) -> int:
    """Check the folder or archive that is named, or else the one that this file is in; returns the exit code."""
    place = Path(arguments[0] if arguments else __file__)
    place = place if arguments else place.parent
    try:
        names, read = _open(place)
        folder = site_folder(names)
        inside = [name.removeprefix(folder) for name in names if name.startswith(folder)]
        results = list(check(inside, lambda name: read(folder + name)))
        beside = [name for name in names if not name.startswith(folder)]  # such as an archive's sources
        results += [(name, _unreadable(name, read)) for name in beside]
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        print(f"{place}: {error}")
        return 1
    findings = [f"{name}: {wrong}" for name, wrong in results if wrong]
    print(*findings, f"{place}: files checked: {len(results)}, wrong: {len(findings)}", sep="\n")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
