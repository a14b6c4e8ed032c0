"""The inputs of an article: a model, clips, and the figures that were stored with the model."""

from __future__ import annotations

import shlex
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

from experiments.clips import Clip, clips_of_folder, own_clips, shipped_clips
from experiments.lazy_codec import LazyCodec
from experiments.stored_figures import FigureFile, Figures
from sparse_codec import EncodeOptions, find_checkpoint
from sparse_codec.evaluation.frozen_set import read_manifest

if TYPE_CHECKING:
    from sparse_codec import SparseCodec


@dataclass(frozen=True)
class Inputs:
    """The inputs of one article."""

    codec: SparseCodec  # a LazyCodec: its weights are loaded when they are needed
    n_parameters: int
    clips: list[Clip]
    long_clip: Clip
    evaluation: Figures | None  # held-out figures of exactly this checkpoint, if there are any
    words: Figures | None  # word errors of exactly this checkpoint, likewise
    shipped: bool  # the shipped model: the article tells more of its training than its checkpoint
    own_audio: bool  # the reader's files, of which nothing is known
    remarks: list[str]  # such as that a file was padded, or is longer
    articles: list[str]  # of the site


BUILD: dict[str, Inputs]  # by article; `build.py` gives it to scripts as a global of this name


def inputs_of(
    article: str,
    articles: list[str],
    checkpoint: str | Path | None = None,
    audio: list[Path] | None = None,
    data_dir: Path | None = None,
) -> Inputs:
    """Load the inputs of one of the site's articles, by default its shipped model and clips.

    Args: audio, files of the reader's; data_dir, a folder of recordings such as LJ Speech.
    Raises: CheckpointError, AudioError; ReportError for stored figures of another checkpoint.
    """
    remarks: list[str] = []
    if audio:
        clips, long_clip, remarks = own_clips(audio)
        for remark in remarks:
            print(remark, file=sys.stderr)
    elif data_dir:
        clips, long_clip = clips_of_folder(data_dir)
    else:
        clips, long_clip = shipped_clips(article)
    file = find_checkpoint(checkpoint or article)
    lazy = LazyCodec(file)
    codec = cast("SparseCodec", lazy)
    return Inputs(
        codec,
        lazy.n_parameters,
        clips,
        long_clip,
        evaluation=_evaluation(file, codec),
        words=_words(file, codec),
        shipped=file.resolve() == find_checkpoint(article).resolve(),
        own_audio=bool(audio or data_dir),
        remarks=remarks,
        articles=articles,
    )


def _evaluation(checkpoint: Path, codec: SparseCodec) -> Figures | None:
    """Return the held-out figures beside a checkpoint, if there are any.

    Raises: ReportError if they were measured with another checkpoint, with other options than it
    encodes by, or with another manifest than the one beside it.
    """
    file = _beside(checkpoint, ".json", "evaluate")
    figures = _read_if_there(file, codec)
    if figures is None:
        return None
    if "manifest" not in figures:
        return figures
    manifest = file.path.with_suffix(".manifest.json")
    if not manifest.exists() or read_manifest(manifest).digest != figures["manifest"]:
        raise file.error(f"measured with another manifest than {manifest.name}")
    # Options that are newer than the figures had their defaults.
    options = asdict(EncodeOptions()) | figures["options"]
    if options != asdict(codec.config.encode):
        raise file.error("measured with other options than the checkpoint's")
    return figures


def _words(checkpoint: Path, codec: SparseCodec) -> Figures | None:
    """Return the word errors beside a checkpoint, if there are any. Raises: ReportError."""
    return _read_if_there(_beside(checkpoint, ".words.json", "words"), codec)


def _beside(checkpoint: Path, suffix: str, command: str) -> FigureFile:
    path = checkpoint.with_suffix(suffix)
    word = shlex.quote(str(path))
    return FigureFile(
        path, f"python -m sparse_codec {command} --json {word}, or move the file away"
    )


def _read_if_there(file: FigureFile, codec: SparseCodec) -> Figures | None:
    return file.read_of(codec) if file.path.exists() else None
