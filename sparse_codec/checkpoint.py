"""Checkpoint files: weights, configuration and facts about the training, as safetensors.

Loading such a file never runs code.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from torch import Tensor

CHECKPOINTS = Path(__file__).parent / "checkpoints"
FORMAT = "sparse-codec 1"


class CheckpointError(ValueError):
    """A checkpoint that cannot be used; the message names the file and the fix."""


def read_checkpoint(file: Path) -> tuple[dict[str, Tensor], dict[str, str], str]:
    """Return the weights, the facts and the SHA-256 of a checkpoint file.

    Raises: CheckpointError for a file that is damaged or of another format.
    """
    try:
        data = file.read_bytes()
        header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])["__metadata__"]
        tensors = load_tensors(data)
    except (OSError, ValueError, KeyError, TypeError, RecursionError, SafetensorError) as error:
        raise CheckpointError(f"{file}: not a checkpoint of this project ({error})") from error
    if header.get("format") != FORMAT:
        raise CheckpointError(
            f"{file}: format {header.get('format')!r}, expected {FORMAT!r}; train it again"
        )
    return tensors, header, hashlib.sha256(data).hexdigest()


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
