"""How well a recogniser understands speech that went through the codec, beside matching pursuit and the original."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from sparse_codec.audio.files import load_audio
from sparse_codec.audio.recordings import Recording
from sparse_codec.codec import SparseCodec
from sparse_codec.evaluation.metrics import has, intelligibility, recognise, word_errors
from sparse_codec.evaluation.pursuit import MatchingPursuit

ATOMS = 128  # partials of matching pursuit in each half segment


def count_word_errors(
    codec: SparseCodec, recordings: list[Recording], progress: Callable = iter
) -> dict:
    """Word error rates and intelligibility of speech with transcripts.

    Of the original, the codec's reconstruction, and matching pursuit with ATOMS partials in each half segment.
    Raises: ValueError if there are none, or if a package that measures them is missing.
    """
    missing = [package for package in ("pocketsphinx", "jiwer", "pystoi") if not has(package)]
    if missing:
        raise ValueError(
            f"word errors need the packages {', '.join(missing)}: pip install '.[evaluation]'"
        )
    if not recordings:
        raise ValueError(
            "no transcripts in --data: give an LJ Speech folder, whose metadata.csv has them"
        )
    errors: dict[str, np.ndarray] = {}
    clear: dict[str, list[float]] = {}
    for recording in progress(recordings):
        audio = load_audio(recording.path, codec.config.samplerate)
        audio = audio / max(np.abs(audio).max(), 1e-9)
        sounds = {
            "original": audio,
            "codec": codec.decode(codec.encode(audio)),
            f"matching pursuit, {ATOMS}": pursue(codec, audio),
        }
        for name, sound in sounds.items():
            counted = np.array(
                word_errors(recording.text, recognise(sound, codec.config.samplerate))
            )
            errors[name] = errors.get(name, 0) + counted
            clear.setdefault(name, []).append(
                intelligibility(sound, audio, codec.config.samplerate)
            )
    facts = {
        "checkpoint": codec.digest,
        "clips": len(recordings),
        "words": int(errors["original"][1]),
    }
    return facts | {
        "word error rate": {
            name: round(float(wrong / said), 3) for name, (wrong, said) in errors.items()
        },
        "estoi": {name: round(float(np.mean(values)), 3) for name, values in clear.items()},
    }


def pursue(codec: SparseCodec, audio: np.ndarray) -> np.ndarray:
    """Audio (T,) of any length by matching pursuit, each half segment on its own after the tail of the one before."""
    config, pursuit = codec.config, MatchingPursuit(codec.config)
    half = config.segment_samples // 2
    sound = np.zeros(len(audio) + config.segment_samples, np.float32)
    tail = torch.zeros(config.n_bins, config.horizon_frames)
    for start in range(0, len(audio), half):
        part = audio[start : start + config.segment_samples]
        segment = torch.from_numpy(np.pad(part, (0, config.segment_samples - len(part))))
        original = codec.magnitudes(segment[None])[0]
        original[:, : config.horizon_frames] -= tail
        atoms = pursuit.decompose(original, ATOMS)
        spectra = pursuit.spectrograms(atoms)
        atoms = atoms.first(ATOMS, pursuit.joint_gains(original, spectra))
        taken = torch.einsum("n,nft->ft", atoms.gains, spectra)[:, config.half_frames :]
        tail = torch.nn.functional.pad(taken, (0, config.horizon_frames - taken.shape[1]))
        sound[start : start + config.segment_samples] += pursuit.render(
            atoms, config.segment_samples
        ).numpy()
    return sound[: len(audio)]
