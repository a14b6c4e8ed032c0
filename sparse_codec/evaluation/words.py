"""Word errors of a recogniser on speech through the codec and through matching pursuit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import torch

from sparse_codec.audio.files import load_audio
from sparse_codec.audio.recordings import Recording
from sparse_codec.codec import SparseCodec
from sparse_codec.evaluation.metrics import intelligibility, is_installed, recognise, word_errors
from sparse_codec.evaluation.pursuit import MatchingPursuit

ATOMS = 128  # partials of matching pursuit in each half segment


def count_word_errors(
    codec: SparseCodec,
    recordings: list[Recording],
    progress: Callable[[Iterable[Recording]], Iterable[Recording]] = iter,
) -> dict[str, Any]:
    """Return word error rates and intelligibility of speech with transcripts.

    They are of the original, of the codec's reconstruction, and of matching pursuit with ATOMS
    partials in each half segment.
    Raises: ValueError if there are no recordings, or if a package that measures them is missing.
    """
    _check_packages()
    if not recordings:
        raise ValueError(
            "no transcripts in --data: give an LJ Speech folder, whose metadata.csv has them"
        )
    errors, estoi = defaultdict(list), defaultdict(list)
    for recording in progress(recordings):
        audio = load_audio(recording.path, codec.samplerate)
        audio = audio / max(np.abs(audio).max(), 1e-9)
        sounds = {
            "original": audio,
            "codec": codec.decode(codec.encode(audio)),
            f"matching pursuit, {ATOMS}": pursue(codec, audio),
        }
        for name, sound in sounds.items():
            recognised = recognise(sound, codec.samplerate)
            errors[name].append(word_errors(recording.text, recognised))
            estoi[name].append(intelligibility(sound, audio, codec.samplerate))
    return {
        "checkpoint": codec.digest,
        "clips": len(recordings),
        "words": sum(n_words for _, n_words in errors["original"]),
        "word error rate": {name: _error_rate(counts) for name, counts in errors.items()},
        "estoi": {name: round(float(np.mean(values)), 3) for name, values in estoi.items()},
    }


def _check_packages() -> None:
    missing = [name for name in ("pocketsphinx", "jiwer", "pystoi") if not is_installed(name)]
    if missing:
        raise ValueError(
            f"word errors need the packages {', '.join(missing)}: pip install '.[evaluation]'"
        )


def _error_rate(counts: list[tuple[int, int]]) -> float:
    """Return wrong words over all words, from these numbers of each clip."""
    n_errors, n_words = map(sum, zip(*counts, strict=True))
    return round(n_errors / n_words, 3)


def pursue(codec: SparseCodec, audio: np.ndarray) -> np.ndarray:
    """Return audio (T,) of any length, decomposed by matching pursuit and rendered again.

    Each half segment is decomposed alone, without the tail that the one before leaves in it.
    """
    config, pursuit = codec.config, MatchingPursuit(codec.config)
    size, half = config.segment_samples, config.segment_samples // 2
    sound = np.zeros(len(audio) + size, np.float32)
    tail = torch.zeros(config.n_bins, config.horizon_frames)
    for start in range(0, len(audio), half):
        part = audio[start : start + size]
        segment = torch.from_numpy(np.pad(part, (0, size - len(part))))
        original = codec.magnitudes(segment[None])[0]
        original[:, : config.horizon_frames] -= tail
        atoms = pursuit.decompose(original, ATOMS)
        spectra = pursuit.spectrograms(atoms)
        atoms = atoms.first(ATOMS, pursuit.joint_gains(original, spectra))
        later = torch.einsum("n,nft->ft", atoms.gains, spectra)[:, config.half_frames :]
        tail = torch.nn.functional.pad(later, (0, config.horizon_frames - later.shape[1]))
        sound[start : start + size] += pursuit.render(atoms, size).numpy()
    return sound[: len(audio)]
