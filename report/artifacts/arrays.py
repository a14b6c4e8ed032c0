"""Arrays and the weights of models as files: the same numbers, the same bytes. No file runs code.

An array becomes a .npy file, and tensors by name a .safetensors file.
"""

import io
from collections.abc import Mapping
from typing import Any

import numpy as np

OURS, THEIRS = {"format": "np"}, {"format": "pt"}  # made of arrays, or of PyTorch's tensors


def to_npy(values: Any) -> tuple[bytes, np.ndarray]:
    """Return a file, and the array in it: in the order of C and of this machine's bytes.

    Raises: ValueError for Python objects, which only pickle could store.
    """
    array = np.asarray(_on_cpu(values))
    if array.dtype.hasobject:
        raise ValueError("an array of Python objects can not be stored; give it a number type")
    array = np.ascontiguousarray(array).reshape(array.shape)  # which makes one axis of none
    file = io.BytesIO()
    np.lib.format.write_array(file, array, version=None, allow_pickle=False)
    return file.getvalue(), array


def from_npy(data: bytes) -> np.ndarray:
    """Return the array of a file, which can not be written to."""
    array = np.lib.format.read_array(io.BytesIO(data), allow_pickle=False)
    array.flags.writeable = False
    return array


def to_safetensors(tensors: Mapping[str, Any]) -> bytes:
    """Return a file of arrays (numbers of all types), or of PyTorch's tensors.

    Raises: ValueError for anything else, and for tensors that are not dense.
    """
    if not isinstance(tensors, Mapping):
        hint = "a dict of arrays by name"
        if hasattr(tensors, "state_dict"):
            hint = "its state_dict()"
        elif hasattr(tensors, "get_params"):
            hint = "the arrays that it was fitted to, as {'components': model.components_}"
        raise ValueError(f"weights are a {type(tensors).__name__}; give {hint}")
    from safetensors import SafetensorError

    try:
        if any(map(_is_tensor, tensors.values())):
            from safetensors.torch import save as save_tensors

            return save_tensors({name: _dense(name, x) for name, x in tensors.items()}, THEIRS)
        from safetensors.numpy import save

        return save({name: np.ascontiguousarray(x) for name, x in tensors.items()}, OURS)
    except SafetensorError as error:
        raise ValueError(f"weights can not be stored, use numbers: {error}") from error


def from_safetensors(data: bytes) -> dict[str, Any]:
    """Return the arrays of a file, or the tensors if it was made of these."""
    from safetensors import numpy

    if b'"format":"pt"' in data[: 8 + int.from_bytes(data[:8], "little")]:
        from safetensors.torch import load

        return load(data)
    return numpy.load(data)


def _on_cpu(values: Any) -> Any:
    return values.detach().cpu() if _is_tensor(values) else values


def _is_tensor(value: Any) -> bool:
    """Return True for a tensor of PyTorch, which need not be installed."""
    return hasattr(value, "detach") and hasattr(value, "layout")


def _dense(name: str, value: Any) -> Any:
    """Return a tensor with memory of its own, as tied weights have to have in a file."""
    if not _is_tensor(value) or str(value.layout) != "torch.strided":
        raise ValueError(f"weights have {name!r}, which is no dense tensor; leave it out")
    return value.detach().cpu().clone().contiguous()
