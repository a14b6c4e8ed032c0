"""Events are fitted further on two windows, and speech is measured with fewer events."""

import dataclasses

import numpy as np
import pytest
import torch

from experiments.clips import SHIPPED
from experiments.measurements import looking_further
from experiments.measurements.looking_further import (
    EXCHANGES,
    FURTHER,
    OPTIONS,
    SHORT,
    exchanged,
    measure_speech,
    refine_on,
    short_window,
    with_still_pitches,
)
from experiments.measurements.rows import AS_ARTICLE, means_of
from sparse_codec import EncodeOptions, SparseCodec
from sparse_codec.audio.recordings import find_recordings
from sparse_codec.coding.priors import Priors
from sparse_codec.config import MEASURE
from sparse_codec.evaluation.frozen_set import Segment
from sparse_codec.evaluation.measure import Ruler
from sparse_codec.model.consistent import Transform
from sparse_codec.model.events import Events
from sparse_codec.model.spectrogram import magnitudes


@pytest.fixture(scope="module")
def ruler(small_codec, music):
    audio = music[: MEASURE.segment_samples]
    return Ruler(small_codec, Segment(audio / np.abs(audio).max(), "clips", "mozart"))


@pytest.fixture(scope="module")
def events(small_codec, ruler):
    options = EncodeOptions(candidates=2, interim=0, refine=5)
    return small_codec.encode_segment(
        ruler.segment.audio[: small_codec.config.segment_samples], options
    )


def test_the_short_window_sees_what_the_sound_of_an_event_shows_there(ruler, events):
    draw, _ = short_window(ruler)
    strongest = events.select([int(events.gains.argmax())])
    drawn = draw(Events.of(strongest, torch.device("cpu"))).detach()
    (sound,) = ruler.codec.render(strongest)
    whole = np.pad(sound, (int(strongest.onsets[0]), 0))[None]
    seen = magnitudes(torch.from_numpy(whole), SHORT, ruler.config.hop)[..., : drawn.shape[2]]
    size = seen.shape[2]
    energies = [x[..., :size].pow(2).sum().sqrt().item() for x in (drawn, seen)]
    assert energies[0] == pytest.approx(energies[1], rel=0.1)
    assert np.corrcoef(drawn[..., :size].flatten(), seen.flatten())[0, 1] > 0.9


def test_pitches_that_are_held_still_do_not_move(ruler, small_config):
    decoder = dataclasses.replace(small_config.decoder, vibrato=0.5, scoop=1.0)
    torch.manual_seed(0)
    codec = SparseCodec(dataclasses.replace(small_config, decoder=decoder)).eval()
    options = EncodeOptions(candidates=2, interim=0, refine=5, n_events=4)
    audio = ruler.segment.audio[: codec.config.segment_samples]
    swings = [
        np.abs(each.encode_segment(audio, options).vectors[:, -3:]).max()
        for each in (codec, with_still_pitches(codec))
    ]
    assert swings[0] > 0.01 > 1e-4 > swings[1]


@pytest.mark.parametrize("name", FURTHER)
def test_further_steps_come_nearer_to_the_windows_that_they_are_of(ruler, events, name):
    fits = FURTHER[name](ruler)
    further = refine_on(ruler.codec, events, fits)
    assert len(further) == len(events)
    before, after = (
        sum(loss.distance(scene(Events.of(x, torch.device("cpu")))).item() for scene, loss in fits)
        for x in (events, further)
    )
    assert after < before


def test_parts_of_an_stft_are_exchanged_for_the_original_s(ruler):
    generator, original = torch.Generator().manual_seed(0), ruler.audio[: 512 * 60]
    ours = torch.randn(len(original), generator=generator) * 0.1
    transform = Transform(2048, 512)
    own, magnitudes_of, phases_of = (
        exchanged(ours, original, transform, exchange) for exchange in EXCHANGES.values()
    )
    torch.testing.assert_close(own, ours, rtol=1e-3, atol=1e-5)
    same = [exchanged(original, original, transform, exchange) for exchange in EXCHANGES.values()]
    for sound in same:
        torch.testing.assert_close(sound, original, rtol=1e-3, atol=1e-5)

    def distances(sound):
        seen = magnitudes(torch.stack([sound, ours, original]), 2048, 512)
        return [(seen[0] - aim).norm() for aim in seen[1:]]

    nearer, farther = distances(phases_of), distances(magnitudes_of)
    assert nearer[0] < nearer[1] and farther[0] > farther[1]


def test_speech_is_measured_with_every_number_of_events(monkeypatch):
    pytest.importorskip("pystoi")
    monkeypatch.setattr(looking_further, "N_EVENTS", (24, 12))
    clips = find_recordings(SHIPPED / "speech")[:1]
    figures = measure_speech(SparseCodec.load("speech"), Priors.load("speech"), clips)
    assert list(figures["estoi"]) == ["24", "12"] and figures["clips"] == 1
    many, few = (groups[clips[0].group] for groups in figures["estoi"].values())
    assert 0.2 < many < 1 and 0.2 < few < 1 and many != few


def test_the_article_s_options_come_first_and_means_are_over_segments_with_a_figure():
    assert next(iter(OPTIONS)) == AS_ARTICLE
    segments = [{"a": {"l2": 0.5, "onset_f": 0.3}}, {"a": {"l2": 1.0}}]
    assert means_of(segments) == {"a": {"l2": 0.75, "onset_f": 0.3}}
