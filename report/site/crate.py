"""The provenance of a site for machines: ro-crate-metadata.json, an RO-Crate 1.1 of its files and of what made them.

Each artifact is the result of an action, whose instrument is a function and whose objects are the artifacts and the
arguments that it was given (https://www.researchobject.org/ro-crate/1.1/provenance.html).
"""

import hashlib
from collections.abc import Iterable, Iterator

from report.site import selfcheck
from report.site.manifest import MANIFEST, MEDIA, Made, Manifest

CRATE = "ro-crate-metadata.json"
CONTEXT = "https://w3id.org/ro/crate/1.1/context"
UNKNOWN_DATE = (
    "1970-01-01"  # a crate must have a date, and the day of the build would change its bytes
)


def make_crate(manifest: Manifest) -> bytes:
    """The RO-Crate of a site that has all its files but this one. The same manifest gives the same bytes.

    The facts "date" (ISO 8601) and "license" (a URL or a name) are used where they are known.
    """
    media = {
        file.sha256: name for name, file in manifest.files.items() if name.startswith(f"{MEDIA}/")
    }
    calls = {
        made.key: (call, made) for call, made in sorted(manifest.artifacts.items(), reverse=True)
    }
    made = [made for _, made in calls.values()]
    files = list(_files(manifest))
    actions = [_action(call, made, media) for call, made in calls.values()]
    others = [
        *_artifacts(made, media),
        *_functions(made),
        *_libraries(made),
        *_arguments(made),
        *actions,
    ]
    unique = {thing["@id"]: thing for thing in others}
    graph = [
        _descriptor(),
        _root(manifest, files, actions),
        *files,
        *(unique[name] for name in sorted(unique)),
    ]
    return selfcheck.serialise({"@context": CONTEXT, "@graph": graph})


def _descriptor() -> dict:
    return {
        "@id": CRATE,
        "@type": "CreativeWork",
        "about": {"@id": "./"},
        "conformsTo": {"@id": "https://w3id.org/ro/crate/1.1"},
    }


def _root(manifest: Manifest, files: list[dict], actions: list[dict]) -> dict:
    date = manifest.facts.get("date")
    unknown = "" if date else " The date of publication is not known."
    root = {
        "@id": "./",
        "@type": "Dataset",
        "name": "; ".join(about["title"] for _, about in sorted(manifest.pages.items())),
        "description": f"Articles with sounds and figures, and how each of these was computed.{unknown}",
        "datePublished": date or UNKNOWN_DATE,
        "hasPart": _references(file["@id"] for file in files),
        "mentions": _references(sorted(action["@id"] for action in actions)),
    }
    return root | ({"license": manifest.facts["license"]} if "license" in manifest.facts else {})


def _files(manifest: Manifest) -> Iterator[dict]:
    """No hashes: those of media are in their names, and those of pages change where media have another address."""
    titles = {page: about["title"] for page, about in manifest.pages.items()}
    calls = {made.sha256: call for call, made in sorted(manifest.artifacts.items(), reverse=True)}
    types = {name: file.media_type for name, file in manifest.files.items()} | {
        MANIFEST: "application/json"
    }
    for name, media_type in sorted(types.items()):
        title = (
            titles.get(name)
            or (name in manifest.files and calls.get(manifest.files[name].sha256))
            or name
        )
        yield {"@id": name, "@type": "File", "name": title, "encodingFormat": media_type}


def _artifacts(made: list[Made], media: dict[str, str]) -> Iterator[dict]:
    """Artifacts that are no file of the site."""
    types = {digest: {} for x in made for digest in x.inputs} | {
        x.sha256: {"encodingFormat": x.media_type} for x in made
    }
    for digest, media_type in types.items():
        if digest not in media:
            yield {"@id": f"#{digest}", "@type": "CreativeWork", "name": digest} | media_type


def _functions(made: list[Made]) -> Iterator[dict]:
    for x in made:
        yield {
            "@id": _function(x),
            "@type": "SoftwareSourceCode",
            "name": x.function,
            "identifier": x.code,
            "programmingLanguage": "Python",
            "softwareRequirements": _references(
                _library(*library) for library in sorted(x.libraries.items())
            ),
        }


def _libraries(made: list[Made]) -> Iterator[dict]:
    for name, version in {library for x in made for library in x.libraries.items()}:
        about = {"name": name, "softwareVersion": version}
        yield {"@id": _library(name, version), "@type": "SoftwareApplication"} | about


def _arguments(made: list[Made]) -> Iterator[dict]:
    for name, value in {argument for x in made for argument in x.arguments.items()}:
        yield {
            "@id": _argument(name, value),
            "@type": "PropertyValue",
            "name": name,
            "value": value,
        }


def _action(call: str, made: Made, media: dict[str, str]) -> dict:
    inputs = [_artifact(digest, media) for digest in made.inputs]
    arguments = [_argument(*argument) for argument in sorted(made.arguments.items())]
    return {
        "@id": f"#{made.key}",
        "@type": "CreateAction",
        "name": call,
        "instrument": {"@id": _function(made)},
        "object": _references(inputs + arguments),
        "result": {"@id": _artifact(made.sha256, media)},
    }


def _artifact(digest: str, media: dict[str, str]) -> str:
    return media.get(digest, f"#{digest}")


def _function(made: Made) -> str:
    return f"#function-{_short(made.function, made.code, *sorted(made.libraries.items()))}"


def _library(name: str, version: str) -> str:
    return f"#library-{_short(name, version)}"


def _argument(name: str, value: str) -> str:
    return f"#argument-{_short(name, value)}"


def _short(*parts: object) -> str:
    """An identifier that says the same for the same things, and that nothing in them can break."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def _references(names: Iterable[str]) -> list[dict]:
    return [{"@id": name} for name in names]
