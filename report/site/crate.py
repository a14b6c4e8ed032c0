"""ro-crate-metadata.json: a site's provenance for machines, an RO-Crate 1.1.

Each artifact is the result of an action. The action's instrument is a function, and its objects
are the artifacts and arguments that were given to this function
(https://www.researchobject.org/ro-crate/1.1/provenance.html).
"""

import functools
import hashlib
from collections.abc import Iterable, Iterator
from typing import Any

from report.site.manifest import MANIFEST, MEDIA, About, Manifest, Provenance, serialise

CRATE = "ro-crate-metadata.json"
CONTEXT = "https://w3id.org/ro/crate/1.1/context"
Entity = dict[str, Any]  # of the crate's graph


def make_crate(manifest: Manifest) -> bytes:
    """Return the RO-Crate of a site that has all its files but this one.

    The same manifest gives the same bytes. Its date, its authors, and its fact "license" (a URL or
    a name) are used if they are there. The specification asks for a date, but the day of the build
    would change the bytes, and a date that is made up would be false.
    """
    media = {
        file.sha256: name for name, file in manifest.files.items() if name.startswith(f"{MEDIA}/")
    }
    calls: dict[str, tuple[str, Provenance]] = {}  # by key: the first call by name stands for all
    for call, artifact in sorted(manifest.artifacts.items(), reverse=True):
        calls[artifact.key] = call, artifact
    artifacts = [artifact for _, artifact in calls.values()]
    files = list(_files(manifest))
    actions = [_action(call, artifact, media) for call, artifact in calls.values()]
    others = [
        *_authors(manifest),
        *_artifacts(artifacts, media),
        *_functions(artifacts),
        *_libraries(artifacts),
        *_arguments(artifacts),
        *actions,
    ]
    unique = {entity["@id"]: entity for entity in others}
    graph = [
        _descriptor(),
        _root(manifest, files, actions),
        *files,
        *(unique[name] for name in sorted(unique)),
    ]
    return serialise({"@context": CONTEXT, "@graph": graph})


def _descriptor() -> Entity:
    return {
        "@id": CRATE,
        "@type": "CreativeWork",
        "about": {"@id": "./"},
        "conformsTo": {"@id": "https://w3id.org/ro/crate/1.1"},
    }


def _root(manifest: Manifest, files: list[Entity], actions: list[Entity]) -> Entity:
    description = "Articles with sounds and figures, and how each of these was computed."
    if not manifest.date:
        description += " The date of publication is not known."
    root: Entity = {
        "@id": "./",
        "@type": "Dataset",
        "name": "; ".join(about.title for _, about in manifest.articles),
        "description": description,
        "hasPart": _references(file["@id"] for file in files),
        "mentions": _references(sorted(action["@id"] for action in actions)),
    }
    if manifest.date:
        root["datePublished"] = manifest.date
    if manifest.authors:
        root["author"] = _references(_author_id(name, manifest) for name in manifest.authors)
    if manifest.licence:
        root["license"] = manifest.licence
    if manifest.keywords:
        root["keywords"] = ", ".join(manifest.keywords)
    return root


def _files(manifest: Manifest) -> Iterator[Entity]:
    """Yield the site's files, without hashes.

    The hashes of media are in their names. Those of pages change if media get another address.
    """
    calls = {}  # the first by name for each artifact
    for call, artifact in sorted(manifest.artifacts.items(), reverse=True):
        calls[artifact.sha256] = call
    titles = {name: calls.get(file.sha256) for name, file in manifest.files.items()}
    titles |= {page: about.title for page, about in manifest.pages.items()}
    types = {name: file.media_type for name, file in manifest.files.items()}
    types[MANIFEST] = "application/json"
    for name, media_type in sorted(types.items()):
        title = titles.get(name) or name
        file = {"@id": name, "@type": "File", "name": title, "encodingFormat": media_type}
        yield file | (_about(manifest.pages[name], manifest) if name in manifest.pages else {})


def _about(about: About, manifest: Manifest) -> Entity:
    """Return what is said of an article's page."""
    said = {
        "author": _references(_author_id(name, manifest) for name in about.authors),
        "datePublished": about.date,
        "license": about.licence,
        "abstract": about.abstract,
        "keywords": ", ".join(about.keywords),
        "identifier": f"https://doi.org/{about.doi}" if about.doi else "",
    }
    return {name: value for name, value in said.items() if value}


def _authors(manifest: Manifest) -> Iterator[Entity]:
    for name in manifest.authors:
        person: Entity = {"@id": _author_id(name, manifest), "@type": "Person", "name": name}
        if place := manifest.affiliations.get(name):
            person["affiliation"] = {"@id": _place_id(place)}
            yield {"@id": _place_id(place), "@type": "Organization", "name": place}
        yield person


def _artifacts(artifacts: list[Provenance], media: dict[str, str]) -> Iterator[Entity]:
    """Yield the artifacts that are no file of the site."""
    types = {artifact.sha256: artifact.media_type for artifact in artifacts}
    inputs = {digest for artifact in artifacts for digest in artifact.inputs}
    for digest in types.keys() | inputs:
        if digest in media:
            continue
        entity = {"@id": f"#{digest}", "@type": "CreativeWork", "name": digest}
        if digest in types:
            entity["encodingFormat"] = types[digest]
        yield entity


def _functions(artifacts: list[Provenance]) -> Iterator[Entity]:
    for name, artifact in {_function_id(artifact): artifact for artifact in artifacts}.items():
        libraries = sorted(artifact.libraries.items())
        yield {
            "@id": name,
            "@type": "SoftwareSourceCode",
            "name": artifact.function,
            "identifier": artifact.code,
            "programmingLanguage": "Python",
            "softwareRequirements": _references(_library_id(*library) for library in libraries),
        }


def _libraries(artifacts: list[Provenance]) -> Iterator[Entity]:
    pairs = {library for artifact in artifacts for library in artifact.libraries.items()}
    for name, version in pairs:
        yield {
            "@id": _library_id(name, version),
            "@type": "SoftwareApplication",
            "name": name,
            "softwareVersion": version,
        }


def _arguments(artifacts: list[Provenance]) -> Iterator[Entity]:
    pairs = {argument for artifact in artifacts for argument in artifact.arguments.items()}
    for name, value in pairs:
        yield {
            "@id": _argument_id(name, value),
            "@type": "PropertyValue",
            "name": name,
            "value": value,
        }


def _action(call: str, artifact: Provenance, media: dict[str, str]) -> Entity:
    inputs = [_artifact_id(digest, media) for digest in artifact.inputs]
    arguments = [_argument_id(*argument) for argument in sorted(artifact.arguments.items())]
    return {
        "@id": f"#{artifact.key}",
        "@type": "CreateAction",
        "name": call,
        "instrument": {"@id": _function_id(artifact)},
        "object": _references(inputs + arguments),
        "result": {"@id": _artifact_id(artifact.sha256, media)},
    }


def _artifact_id(digest: str, media: dict[str, str]) -> str:
    return media.get(digest, f"#{digest}")


def _function_id(artifact: Provenance) -> str:
    libraries = sorted(artifact.libraries.items())
    return f"#function-{_short_hash(artifact.function, artifact.code, *libraries)}"


def _author_id(name: str, manifest: Manifest) -> str:
    orcid = manifest.orcids.get(name)
    return f"https://orcid.org/{orcid}" if orcid else f"#author-{_short_hash(name)}"


def _place_id(name: str) -> str:
    return f"#organization-{_short_hash(name)}"


def _library_id(name: str, version: str) -> str:
    return f"#library-{_short_hash(name, version)}"


def _argument_id(name: str, value: str) -> str:
    return f"#argument-{_short_hash(name, value)}"


@functools.lru_cache(maxsize=4096)  # a site has few libraries, functions and authors
def _short_hash(*parts: object) -> str:
    """Return the same digits for the same parts. No text in them can break an identifier."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def _references(names: Iterable[str]) -> list[Entity]:
    return [{"@id": name} for name in names]
