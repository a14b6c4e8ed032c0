"""Word errors of a recogniser on speech through the codec and through its rivals.

Each method is heard twice: plain, and with the original above CROSSOVER in the place of its own.
The recogniser's model is of 16 kHz, so a codec of 8 kHz loses words by its bandwidth alone; what
all methods share tells nothing of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import torch
from scipy.signal import fftconvolve, firwin

from sparse_codec.audio.files import load_audio
from sparse_codec.audio.recordings import Recording
from sparse_codec.codec import SparseCodec
from sparse_codec.coding.in_memory import events_of, file_of
from sparse_codec.coding.priors import Priors
from sparse_codec.config import CodecConfig
from sparse_codec.evaluation.metrics import intelligibility, is_installed, recognise, word_errors
from sparse_codec.evaluation.pursuit import MatchingPursuit
from sparse_codec.evaluation.speech_codecs import SPEECH_CODECS
from sparse_codec.evaluation.waveform_codecs import WAVEFORM_CODECS
from sparse_codec.model.spectrogram import magnitudes
from workers.cluster import as_they_come, open_executor, result_of, share

ATOMS = 128  # partials of matching pursuit in each half of its segments
OPUS = "Opus, 6 kb/s"
RIVALS = {**SPEECH_CODECS, OPUS: WAVEFORM_CODECS[OPUS]}
CROSSOVER = 3600  # Hz
TAPS = 511  # of the linear-phase filter that parts the bands, centred so that it delays nothing
DRAWS = 2000  # of the bootstrap
SEED = 15

Heard = dict[str, float]  # of one method and clip
Clip = tuple[str, int, dict[str, Heard]]  # the group, the words, and the methods


def count_word_errors(
    codec: SparseCodec,
    recordings: list[Recording],
    priors: Priors | None = None,
    rates: Iterable[float] = (),
    words: int = 500,
    jobs: int = 1,
    dask: str | None = None,
    progress: Callable[[Iterable[Clip]], Iterable[Clip]] = iter,
) -> dict[str, Any]:
    """Return word error rates with intervals, and intelligibility, of speech with transcripts.

    Each group of recordings, which is a speaker or a data set, has figures of its own, of its first
    clips with `words` words, or of all. The codec's events went through a file: lossless without
    priors, with them rounded as always and at `rates` bits a second. jobs, dask: as for
    `evaluate`.
    Raises: ValueError if there are no recordings, or if a package that measures them is missing.
    """
    _check_packages()
    chosen = choose_clips(recordings, words)
    if not chosen:
        raise ValueError(
            "no transcripts in --data: give an LJ Speech folder, whose metadata.csv has them"
        )
    groups: dict[str, list[Clip]] = defaultdict(list)
    with open_executor(jobs, dask) as executor:
        shared = share(executor, codec)
        tasks = [(shared, recording, priors, tuple(rates)) for recording in chosen]
        results = (result_of(future) for future in as_they_come(executor, measure_clip, tasks))
        for clip in progress(results):
            groups[clip[0]].append(clip)
    return {
        "checkpoint": codec.digest,
        "crossover": CROSSOVER,
        "draws": DRAWS,
        "skipped": skipped_rivals(),
        "groups": {name: _summarise(clips) for name, clips in sorted(groups.items())},
    }


def _check_packages() -> None:
    missing = [name for name in ("pocketsphinx", "jiwer", "pystoi") if not is_installed(name)]
    if missing:
        raise ValueError(
            f"word errors need the packages {', '.join(missing)}: pip install '.[evaluation]'"
        )


def skipped_rivals() -> dict[str, str]:
    """Return the rivals that can not be measured here, with what to install."""
    return {name: why for name, codec in SPEECH_CODECS.items() if (why := codec.missing())}


def choose_clips(recordings: list[Recording], words: int) -> list[Recording]:
    """Return the first recordings with transcripts of each group, until it has enough words.

    The longest come first, so that at the end no process works alone.
    """
    counts: dict[str, int] = defaultdict(int)
    chosen = []
    for recording in recordings:
        if recording.text and counts[recording.group] < words:
            counts[recording.group] += len(recording.text.split())
            chosen.append(recording)
    return sorted(chosen, key=lambda recording: -len(recording.text))


# ---- one clip


def measure_clip(
    codec: SparseCodec, recording: Recording, priors: Priors | None, rates: tuple[float, ...]
) -> Clip:
    """Return the group of a clip, its number of words, and the figures of every method."""
    torch.set_num_threads(1)
    audio = load_audio(recording.path, codec.samplerate)
    audio = audio / max(np.abs(audio).max(), 1e-9)
    methods: dict[str, Heard] = {}
    for name, sound, rate in _sounds(codec, audio, priors, rates):
        errors, n_words = _errors(recording.text, sound, codec.samplerate)
        both = share_high_band(sound, audio, codec.samplerate)
        methods[name] = {
            "plain": errors,
            "shared": _errors(recording.text, both, codec.samplerate)[0],
            "estoi": intelligibility(sound, audio, codec.samplerate),
            "bits_per_second": rate,
        }
    return recording.group, n_words, methods


def _errors(text: str, sound: np.ndarray, samplerate: int) -> tuple[int, int]:
    return word_errors(text, recognise(sound, samplerate))


def share_high_band(sound: np.ndarray, original: np.ndarray, samplerate: int) -> np.ndarray:
    """Return a sound (T,) with the original's part above CROSSOVER in the place of its own."""
    low = firwin(TAPS, CROSSOVER, fs=samplerate)
    difference = fftconvolve(sound - original, low, "same")
    return (original + difference).astype(np.float32)


def _sounds(
    codec: SparseCodec, audio: np.ndarray, priors: Priors | None, rates: tuple[float, ...]
) -> Iterator[tuple[str, np.ndarray, float]]:
    """Yield names, sounds and bits a second: the original, the codec and its rivals."""
    seconds = len(audio) / codec.samplerate
    yield "original", audio, 16.0 * codec.samplerate
    windows = list(codec.stream([audio]))
    for rate in (None, *(rates if priors else ())):
        file = file_of(codec, windows, priors, rate=rate)
        name = "codec" if rate is None else f"codec, {rate:g} b/s"
        events = events_of(codec, file, priors)
        yield name, codec.decode(events), 8 * len(file) / seconds
        if rate is None:
            yield (
                "codec, plain sum",
                codec.decode(events, consistent=False),
                8 * len(file) / seconds,
            )
    yield f"matching pursuit, {ATOMS}", pursue(audio), float("nan")
    skipped = skipped_rivals()
    for name, rival in RIVALS.items():
        if name not in skipped:
            yield name, *rival.code(audio, codec.samplerate)


def pursue(audio: np.ndarray) -> np.ndarray:
    """Return audio (T,) of any length, decomposed by matching pursuit and rendered again.

    Each half segment is decomposed alone, without the tail that the one before leaves in it. The
    transform is the default configuration's, whatever codec is measured.
    """
    config = CodecConfig()
    pursuit = MatchingPursuit(config)
    size, half = config.segment_samples, config.segment_samples // 2
    sound = np.zeros(len(audio) + size, np.float32)
    tail = torch.zeros(config.n_bins, config.horizon_frames)
    for start in range(0, len(audio), half):
        part = audio[start : start + size]
        segment = torch.from_numpy(np.pad(part, (0, size - len(part))))
        original = magnitudes(segment[None], config.window, config.hop)[0]
        original[:, : config.horizon_frames] -= tail
        atoms = pursuit.decompose(original, ATOMS)
        spectra = pursuit.spectrograms(atoms)
        atoms = atoms.first(ATOMS, pursuit.joint_gains(original, spectra))
        later = torch.einsum("n,nft->ft", atoms.gains, spectra)[:, config.half_frames :]
        tail = torch.nn.functional.pad(later, (0, config.horizon_frames - later.shape[1]))
        sound[start : start + size] += pursuit.render(atoms, size).numpy()
    return sound[: len(audio)]


# ---- all clips


def _summarise(clips: list[Clip]) -> dict[str, Any]:
    """Return the figures of one group: rates of word errors with intervals, means of the rest."""
    n_words = np.array([words for _, words, _ in clips])
    methods = {}
    for name in clips[0][2]:
        heard = [figures[name] for _, _, figures in clips]
        means = {key: float(np.mean([each[key] for each in heard])) for key in heard[0]}
        figures: dict[str, Any] = {"estoi": round(means["estoi"], 3)}
        if np.isfinite(means["bits_per_second"]):
            figures["bits_per_second"] = round(means["bits_per_second"])
        for way in ("plain", "shared"):
            errors = np.array([each[way] for each in heard])
            figures[way] = round(errors.sum() / n_words.sum(), 3)
            figures[f"{way}_interval"] = interval(errors, n_words)
        methods[name] = figures
    return {"clips": len(clips), "words": int(n_words.sum()), "methods": methods}


def interval(errors: np.ndarray, words: np.ndarray) -> list[float]:
    """Return the 95 % interval of a word error rate, by drawing clips again and again.

    errors, words: numbers of each clip.
    """
    drawn = np.random.default_rng(SEED).integers(0, len(words), (DRAWS, len(words)))
    rates = errors[drawn].sum(1) / words[drawn].sum(1)
    return [round(float(bound), 3) for bound in np.quantile(rates, (0.025, 0.975))]
