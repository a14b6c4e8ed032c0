"""Checkpoint files: weights, configuration and facts about the training, as safetensors.

Loading such a file never runs code. PyTorch is imported for the weights alone.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safetensors import SafetensorError, deserialize

from sparse_codec.config import CodecConfig, ConfigError, parse_config

if TYPE_CHECKING:
    from torch import Tensor

CHECKPOINTS = Path(__file__).parent / "checkpoints"
FORMAT = "sparse-codec 1"


class CheckpointError(ValueError):
    """A checkpoint that cannot be used; the message names the file and the fix."""


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint file without its weights."""

    model: str  # the name or the path that it was asked for by
    digest: str  # SHA-256 of the file
    config: CodecConfig
    card: dict[str, Any]  # facts about the training
    parameters: dict[str, int]  # of the encoder and of the decoder


def describe_checkpoint(model: str) -> Checkpoint:
    """Return the facts of a checkpoint, given by its path or by the name of a shipped one.

    Raises: CheckpointError for a file that is missing, damaged or of another format.
    """
    file = find_checkpoint(model)
    data, header, sizes = _read(file)
    parameters: Counter[str] = Counter()
    for name, size in sizes.items():
        parameters[name.partition(".")[0]] += size
    try:
        config = config_of(header, file)
        card = json.loads(header["card"])
    except (ConfigError, KeyError, ValueError) as error:
        raise misfit(file, error) from error
    return Checkpoint(model, hashlib.sha256(data).hexdigest(), config, card, dict(parameters))


def read_checkpoint(file: Path) -> tuple[dict[str, Tensor], dict[str, str], str]:
    """Return the weights, the facts and the SHA-256 of a checkpoint file.

    Raises: CheckpointError for a file that is damaged or of another format.
    """
    from safetensors.torch import load

    data, header, _ = _read(file)
    return load(data), header, hashlib.sha256(data).hexdigest()


def _read(file: Path) -> tuple[bytes, dict[str, str], dict[str, int]]:
    """Return a checkpoint file's bytes, its facts, and how many numbers each tensor has."""
    try:
        data = file.read_bytes()
        header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])["__metadata__"]
        sizes = {name: math.prod(tensor["shape"]) for name, tensor in deserialize(data)}
    except (OSError, ValueError, KeyError, TypeError, RecursionError, SafetensorError) as error:
        raise CheckpointError(f"{file}: not a checkpoint of this project ({error})") from error
    if header.get("format") != FORMAT:
        raise CheckpointError(
            f"{file}: format {header.get('format')!r}, expected {FORMAT!r}; train it again"
        )
    return data, header, sizes


def config_of(header: dict[str, str], file: Path) -> CodecConfig:
    """Return the configuration in the facts of a checkpoint file.

    Checkpoints without `interim_every` are from before refinement took larger steps. The numbers of
    steps that they name are the defaults of then; they get those of today.

    Raises: ConfigError, KeyError or ValueError if it does not fit this version.
    """
    tables = json.loads(header["config"])
    options = tables.get("encode") if isinstance(tables, dict) else None
    if isinstance(options, dict) and "interim_every" not in options and options.get("interim"):
        tables["encode"] = {
            name: value for name, value in options.items() if name not in ("interim", "refine")
        }
    return parse_config(tables, str(file))[0]


def misfit(file: Path, error: Exception) -> CheckpointError:
    """Return the error for a checkpoint of another version of this project."""
    return CheckpointError(f"{file}: does not fit this version: {str(error).splitlines()[0]}")


def find_checkpoint(path: str | Path) -> Path:
    """Return the file of a checkpoint, given by its path or by the name of a shipped one.

    Raises: CheckpointError if there is none.
    """
    shipped = CHECKPOINTS / f"{path}.safetensors"
    if not Path(path).suffix and shipped.exists():
        return shipped
    if not Path(path).is_file():
        names = ", ".join(sorted(p.stem for p in CHECKPOINTS.glob("*.safetensors")))
        raise CheckpointError(
            f"{path}: no such checkpoint; give a .safetensors file or one of: {names}"
        )
    return Path(path)
