"""Properties of encoding and decoding, whatever the weights."""

import dataclasses
import math

import numpy as np
import pytest
import torch

from sparse_codec import CheckpointError, EncodeOptions, SparseCodec
from sparse_codec.model.greedy import GreedyState, gains_within, joint_gains
from sparse_codec.model.spectrogram import share_removed, shares_removed

QUICK = EncodeOptions(candidates=3, refine=2)
GREEDY = EncodeOptions(candidates=2, interim=0, refine=0)
OPTIONS = [QUICK, dataclasses.replace(GREEDY, joint_gains=False)]


def segment(codec, audio) -> torch.Tensor:
    """Magnitudes (1, F, T) of the first segment of audio."""
    return codec.magnitudes(torch.from_numpy(audio[: codec.config.segment_samples])[None])


@pytest.mark.parametrize("options", OPTIONS)
def test_silence_in_silence_out(small_codec, options):
    events = small_codec.encode_segment(np.zeros(20_000, np.float32), options)
    assert len(events) == 0
    assert not small_codec.decode(events).any() and events.n_samples == 20_000


@pytest.mark.parametrize("joint_gains", [True, False])
def test_no_greedy_step_adds_energy(small_codec, tone, joint_gains):
    """By construction: it holds for random weights, up to the horizon that gains are fitted on."""
    noise = np.random.default_rng(0).normal(size=len(tone)).astype(np.float32) * 0.05
    original = small_codec.magnitudes(torch.from_numpy(np.stack([tone, noise, tone + noise])))
    options = dataclasses.replace(GREEDY, joint_gains=joint_gains)
    horizon = small_codec.config.horizon_frames
    energy = [original[:, :, :horizon].pow(2).sum((1, 2))]
    for n in range(1, 5):  # the first n events do not depend on how many follow
        left = small_codec.decompose(original, dataclasses.replace(options, n_events=n)).residual
        energy.append(left[:, :, :horizon].pow(2).sum((1, 2)))
    for before, after in zip(energy, energy[1:], strict=False):
        assert (after <= before * (1 + 1e-5)).all()
    assert (energy[-1] < 0.95 * energy[0])[0]  # and a tone does lose energy


@pytest.mark.parametrize(
    "options", [GREEDY, EncodeOptions(candidates=2, interim=3, refine=3, n_events=8)]
)
def test_the_residual_is_the_original_without_the_scene_of_the_events(small_codec, music, options):
    original = segment(small_codec, music)
    state = small_codec.decompose(original, options)
    events = small_codec.event_set(state.events, n_samples=small_codec.config.segment_samples)
    scene = small_codec.scene(events, small_codec.config.n_frames)
    torch.testing.assert_close(state.residual[0], original[0] - scene, rtol=1e-4, atol=1e-3)
    # gains are fitted by the spectra and products of the events as they are now
    found, horizon = slice(0, state.n_found), small_codec.config.horizon_frames
    spectra = state.spectra[0, found]
    drawn = torch.einsum("n,nft->ft", state.found.gains[0], spectra)
    torch.testing.assert_close(drawn, scene[:, :horizon], rtol=1e-4, atol=1e-3)
    flat = spectra.flatten(1).double()
    torch.testing.assert_close(state.products[0, found, found], flat @ flat.T, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    "fitted", [{"interim": 10}, {"refine": 20}, {"interim": 10, "refine": 20}], ids=str
)
def test_fitting_together_removes_more_than_the_greedy_loop(small_codec, music, fitted):
    original, horizon = segment(small_codec, music), small_codec.config.horizon_frames
    options = dataclasses.replace(GREEDY, n_events=8, interim_every=4)
    shares = []
    for each in (options, dataclasses.replace(options, **fitted)):
        left = small_codec.decompose(original, each).residual
        removed = share_removed(left[..., :horizon], original[..., :horizon], order=2)
        shares.append(removed.item())
    assert 0.05 < shares[0] < shares[1]


def test_a_residual_that_is_low_enough_is_left_alone(small_codec, music):
    original, half = segment(small_codec, music), small_codec.config.half_frames
    # gains that are fitted together are fitted once more when the search has ended
    options, decibels = dataclasses.replace(GREEDY, n_events=12, joint_gains=False), []
    for n in range(1, 7):
        left = small_codec.decompose(original, dataclasses.replace(options, n_events=n)).residual
        l2, _ = shares_removed(left, original, half)
        decibels.append(10 * math.log10(1 - l2))
    stop = decibels[5] + 1e-4  # six events reach it
    state = small_codec.decompose(original, dataclasses.replace(options, stop=stop))
    assert state.n_found == 1 + next(i for i, level in enumerate(decibels) if level <= stop) <= 6


def test_a_first_half_of_silence_has_no_events_and_nothing_to_refine(small_codec, music):
    late = music.copy()
    late[: small_codec.config.segment_samples * 3 // 4] = 0.0
    options = dataclasses.replace(QUICK, stop=-3.0, merge=0.9)
    assert small_codec.decompose(segment(small_codec, late), options).n_found == 0


def test_a_segment_that_is_done_gets_no_more_events_while_others_go_on(small_codec, music):
    size = small_codec.config.segment_samples
    original = small_codec.magnitudes(torch.from_numpy(music[: 2 * size]).view(2, size))
    options = dataclasses.replace(GREEDY, n_events=12, stop=-0.8)
    alone = [small_codec.decompose(original[i : i + 1], options) for i in range(2)]
    together = small_codec.decompose(original, options)
    assert alone[0].n_found > alone[1].n_found and together.n_found == alone[0].n_found
    shorter, n_found = alone[1].found[0], alone[1].n_found
    same = together.events[1, :n_found]
    assert same.frames.tolist() == shorter.frames.tolist()
    torch.testing.assert_close(same.gains, shorter.gains, rtol=1e-3, atol=0.0)
    later = together.events.gains[:, n_found:]
    assert later[0].any() and not later[1].any()


def test_the_first_event_that_removes_too_small_a_share_is_dropped_and_ends_the_search(
    small_codec, music
):
    original, horizon = segment(small_codec, music), small_codec.config.horizon_frames
    options = dataclasses.replace(GREEDY, n_events=12)
    left = [1.0]
    for n in range(1, 6):
        state = small_codec.decompose(original, dataclasses.replace(options, n_events=n))
        left.append(1 - shares_removed(state.residual, original, horizon)[0])
    shares = -np.diff(left)  # of each of the first five events
    least = shares.min()
    n_kept = int(np.flatnonzero(shares < least * 1.001)[0])
    options = dataclasses.replace(options, smallest_share=least * 1.001)
    state = small_codec.decompose(original, options)
    plain = small_codec.decompose(
        original, dataclasses.replace(options, n_events=n_kept, smallest_share=0.0)
    )
    assert 0 < n_kept < 5
    first, gains = state.events[:, :n_kept], state.events.gains
    torch.testing.assert_close(first.gains, plain.events.gains)
    assert torch.equal(first.frames, plain.events.frames) and not gains[:, n_kept:].any()
    torch.testing.assert_close(state.residual, plain.residual, rtol=1e-4, atol=1e-3)


def test_each_segment_of_a_batch_has_its_own_smallest_event(small_codec, music):
    size = small_codec.config.segment_samples
    original = small_codec.magnitudes(torch.from_numpy(music[: 2 * size]).view(2, size))
    options = dataclasses.replace(GREEDY, n_events=8, smallest_share=0.012)
    alone = [small_codec.decompose(original[i : i + 1], options) for i in range(2)]
    together = small_codec.decompose(original, options)
    counts, gains = [int((each.events.gains > 0).sum()) for each in alone], together.events.gains
    assert counts[0] != counts[1] and (gains > 0).sum(1).tolist() == counts
    for i in range(2):
        expected = alone[i].events.gains[0, : max(counts)]
        torch.testing.assert_close(gains[i, : max(counts)], expected, rtol=1e-3, atol=1e-3)
        torch.testing.assert_close(together.residual[i], alone[i].residual[0], rtol=1e-3, atol=1e-2)


def test_no_share_is_large_enough_for_a_share_of_nearly_all(small_codec, music):
    options = dataclasses.replace(GREEDY, smallest_share=0.999)
    events = small_codec.encode(music[:50_000], options=options)
    assert len(events) == 0 and not small_codec.decode(events).any()


def test_of_two_events_that_are_alike_one_is_kept(small_codec, music):
    original = segment(small_codec, music)
    options = dataclasses.replace(GREEDY, n_events=12)
    plain, merged = (
        small_codec.decompose(original, dataclasses.replace(options, merge=m)) for m in (0.0, 0.9)
    )
    gains = merged.events.gains
    kept = gains[0] > 0
    norms = plain.products[0].diagonal().sqrt()
    cosines = plain.products[0] / torch.outer(norms, norms)
    others = ~torch.eye(12, dtype=torch.bool)
    assert cosines[others].max() > 0.9 > cosines[kept][:, kept][others[kept][:, kept]].max()
    assert 0 < kept.sum() < (plain.events.gains[0] > 0).sum()
    horizon = small_codec.config.horizon_frames
    fitted_again = gains_within(
        merged.products[0, kept][:, kept],
        merged.removed[0, kept],
        merged.later[0, kept].flatten(1),
        original[0, :, horizon:].flatten(),
    )
    torch.testing.assert_close(gains[0, kept], fitted_again, rtol=1e-3, atol=1e-3)
    left = original[0, :, :horizon] - torch.einsum("n,nft->ft", gains[0], merged.spectra[0])
    torch.testing.assert_close(merged.residual[0, :, :horizon], left, rtol=1e-4, atol=1e-3)


def test_encoding_is_the_same_every_time(small_codec, music):
    options = EncodeOptions(candidates=3, interim=3, refine=3, n_events=8)
    one, other = (small_codec.encode_segment(music[: 2**15], options) for _ in range(2))
    assert len(one) and one.to_json() == other.to_json()


def test_decoding_makes_no_stage_that_is_not_heard(small_codec, tone, monkeypatch):
    events = small_codec.encode_segment(tone, QUICK)
    rendered = [stages["room"] for stages in small_codec.render_stages(events)]
    decoded = small_codec.decode(events)
    monkeypatch.setattr(small_codec.decoder, "render", None)
    assert decoded.any() and np.array_equal(small_codec.decode(events), decoded)
    for sound, expected in zip(small_codec.render(events), rendered, strict=True):
        np.testing.assert_array_equal(sound, expected)


def square(n_samples: int) -> np.ndarray:
    return np.where(np.arange(n_samples) % 100 < 50, 1.0, -1.0).astype(np.float32)


@pytest.mark.parametrize(
    "audio",
    [
        pytest.param(np.ones(2**15, np.float32), id="a constant"),
        pytest.param(square(2**15), id="a square wave at full scale"),
        pytest.param(np.array([1.0]), id="one sample"),
        pytest.param(1e-7 * square(2**15), id="a square wave that nobody hears"),
    ],
)
def test_odd_audio_gives_finite_events_and_sound(small_codec, audio):
    events = small_codec.encode_segment(audio, QUICK)
    for name in ("vectors", "offsets", "gains"):
        assert np.isfinite(getattr(events, name)).all(), name
    sound = small_codec.decode(events)
    assert sound.shape == audio.shape and np.isfinite(sound).all()
    assert np.abs(sound).max() < 4 * np.abs(audio).max()


@pytest.mark.parametrize("n_samples", [1, 2**14, 2**15])
def test_a_segment_gives_its_length_back(small_codec, tone, n_samples):
    events = small_codec.encode_segment(tone[:n_samples], QUICK)
    assert small_codec.decode(events).shape == (n_samples,)
    assert (events.frames >= 0).all() and (events.frames < small_codec.config.half_frames).all()
    assert (events.gains > 0).all() and len(events) <= small_codec.config.n_events


def test_twice_as_loud_is_the_same_events_at_twice_the_gain(small_codec, tone):
    once, twice = (small_codec.encode_segment(factor * tone, OPTIONS[1]) for factor in (1.0, 2.0))
    assert np.array_equal(once.frames, twice.frames)
    np.testing.assert_allclose(2 * once.gains, twice.gains, rtol=1e-3)


def test_streaming_starts_with_what_encoding_a_segment_gives(small_codec, tone):
    audio = np.concatenate([tone, tone[::-1], tone])
    half = small_codec.config.half_frames
    segment = small_codec.encode_segment(audio[: len(tone)], QUICK)
    stream = small_codec.encode(audio, options=QUICK)
    first = stream.select(stream.frames < half)
    for name in ("vectors", "frames", "offsets", "gains"):
        np.testing.assert_array_equal(getattr(first, name), getattr(segment, name))


def test_streaming_reaches_the_tail(small_codec, tone):
    """A tone that starts in the last sixth of the clip is there, and no sample is cut or added."""
    start = 2**15 + 2**13
    audio = np.zeros(start + 2**13, np.float32)
    audio[start:] = tone[: 2**13]
    events = small_codec.encode(audio, options=QUICK)
    assert (events.onsets > start - 4096).any()
    assert small_codec.decode(events).shape == audio.shape


def test_encoding_more_than_a_segment_names_encode(small_codec):
    with pytest.raises(ValueError, match="use encode"):
        small_codec.encode_segment(np.zeros(2**15 + 1, np.float32))


@pytest.mark.parametrize(
    ("audio", "message"),
    [
        (np.zeros((2, 10, 10)), "channels"),
        (np.zeros(10, np.int16), "full scale is 1.0"),
        (np.zeros(0), "at least one"),
        (np.array([0.0, np.nan]), "NaN"),
        (np.array([0.0, np.inf]), "infinite"),
    ],
)
def test_bad_audio_is_refused_in_words(small_codec, audio, message):
    with pytest.raises(ValueError, match=message):
        small_codec.encode(audio)


def test_joint_gains_are_the_least_squares_ones_when_those_are_positive():
    generator = torch.Generator().manual_seed(0)
    atoms = torch.rand(2, 5, 40, generator=generator, dtype=torch.double)
    gains = torch.rand(2, 5, generator=generator, dtype=torch.double) + 0.1
    target = torch.einsum("bn,bnt->bt", gains, atoms)
    products, removed = atoms @ atoms.transpose(1, 2), torch.einsum("bnt,bt->bn", atoms, target)
    torch.testing.assert_close(joint_gains(products, removed), gains.float(), rtol=1e-3, atol=1e-3)


def test_joint_gains_survive_identical_and_silent_atoms():
    atoms = torch.ones(1, 3, 10, dtype=torch.double)
    atoms[:, 2] = 0
    products = atoms @ atoms.transpose(1, 2)
    gains = joint_gains(products, atoms.sum(2) * 2)
    assert torch.isfinite(gains).all() and gains[0, :2].sum().item() == pytest.approx(2, rel=1e-3)


def test_save_and_load_keep_every_bit(small_codec, tone, tmp_path):
    path = tmp_path / "small.safetensors"
    small_codec.save(path, card={"steps": 3})
    again = SparseCodec.load(path)
    assert again.config == small_codec.config and again.card == {"steps": 3}
    for name, value in small_codec.state_dict().items():
        assert torch.equal(value, again.state_dict()[name]), name
    one, other = small_codec.encode_segment(tone, QUICK), again.encode_segment(tone, QUICK)
    np.testing.assert_array_equal(one.vectors, other.vectors)
    assert not list(tmp_path.glob("*.part"))


def test_a_codec_in_no_file_has_no_digest(small_codec):
    with pytest.raises(CheckpointError, match="save it"):
        _ = small_codec.digest


@pytest.mark.parametrize("damage", ["empty", "cut", "other", "json"])
def test_a_damaged_checkpoint_is_named(small_codec, tmp_path, damage):
    path = tmp_path / "model.safetensors"
    small_codec.save(path)
    data = path.read_bytes()
    header_end = 8 + int.from_bytes(data[:8], "little")
    damaged = {
        "empty": b"",
        "cut": data[:-20],
        "other": data.replace(b"codec 1", b"codec 9"),
        "json": data[: header_end - 5],
    }
    path.write_bytes(damaged[damage])
    with pytest.raises(CheckpointError, match="model.safetensors"):
        SparseCodec.load(path)


def test_an_unknown_checkpoint_lists_the_shipped_ones():
    with pytest.raises(CheckpointError, match="music"):
        SparseCodec.load("musik")


@pytest.fixture(scope="module")
def music_state(music_codec, music) -> GreedyState:
    """The first segment of held-out music, taken apart by the shipped model."""
    return music_codec.decompose(segment(music_codec, music))


@pytest.mark.slow
def test_the_shipped_model_removes_most_of_held_out_music(music_codec, music, music_state):
    """The figure that the project promises, on one real clip: 0.8 of the energy with 32 events."""
    config, state = music_codec.config, music_state
    assert shares_removed(state.residual, state.original, config.half_frames)[0] > 0.75
    events = music_codec.event_set(state.events, n_samples=config.segment_samples // 2)
    sound = music_codec.decode(events)
    reference = music[: len(sound)]
    # as loud as the original, about
    assert 0.5 < np.sqrt(np.mean(sound**2) / np.mean(reference**2)) < 1.5
    assert np.abs(sound).max() < 1.2 and np.isfinite(sound).all()


@pytest.mark.slow
def test_every_event_of_the_shipped_model_removes_energy_from_real_music(music_codec, music_state):
    """Taken off one after the other in their order, by the events alone, as a reader of the JSON
    would.
    """
    config = music_codec.config
    events = music_codec.event_set(music_state.events, n_samples=config.segment_samples)
    left = music_state.original[0, :, : config.horizon_frames]
    energies = [left.pow(2).sum().item()]
    for i in range(len(events)):
        left = left - music_codec.scene(events.select([i]), config.horizon_frames)
        energies.append(left.pow(2).sum().item())
    harmful = np.flatnonzero(np.diff(energies) >= 0).tolist()
    assert len(events) == config.n_events and not harmful
