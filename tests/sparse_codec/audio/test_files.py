"""Sound files in and out, block by block, and errors for files that are not sound."""

import io
import os
import struct
import sys
from threading import Thread

import numpy as np
import pytest
import soundfile as sf

from sparse_codec import AudioError, encode_stereo
from sparse_codec.audio.files import (
    KINDS,
    RawFormat,
    duration,
    load_audio,
    read_blocks,
    save_audio,
    write_blocks,
)
from sparse_codec.outputs import OutputError

RATE = 22_050


def noise(n_samples: int, channels: int = 1) -> np.ndarray:
    sound = 0.1 * np.random.default_rng(0).normal(size=(n_samples, channels)).astype(np.float32)
    return sound[:, 0] if channels == 1 else sound


def read(path, rate: int = RATE, **how) -> np.ndarray:
    return np.concatenate(list(read_blocks(path, rate, **how)))


@pytest.mark.parametrize("suffix", KINDS)
def test_what_is_written_is_read_again(tmp_path, suffix):
    sound = np.repeat(noise(RATE), 3)  # of low frequencies, which lossy formats keep
    written = write_blocks(tmp_path / f"a{suffix}", np.array_split(sound, 7), RATE)
    again = read(tmp_path / f"a{suffix}")
    assert (written.n_samples, written.n_clipped) == (len(sound), 0)
    loss = np.mean((again[: len(sound)] - sound) ** 2) / np.mean(sound**2)
    assert len(again) == len(sound) and loss < (1e-6 if suffix in (".wav", ".flac") else 0.2)
    assert not list(tmp_path.glob("*.part"))


def test_channels_are_mixed_down_or_kept(tmp_path):
    sound = noise(1000, channels=2)
    write_blocks(tmp_path / "two.wav", [sound], RATE)
    np.testing.assert_allclose(read(tmp_path / "two.wav"), sound.mean(axis=1), atol=1e-4)
    np.testing.assert_allclose(read(tmp_path / "two.wav", channels=2), sound, atol=1e-4)


def test_one_channel_can_not_be_read_as_two(tmp_path):
    write_blocks(tmp_path / "one.wav", [noise(100)], RATE)
    with pytest.raises(AudioError, match=r"one\.wav: has 1 channel.*leave --stereo out"):
        read(tmp_path / "one.wav", channels=2)


@pytest.mark.parametrize("rate", [8_000, 44_100, 192_000])
def test_any_samplerate_comes_in_at_the_one_asked_for(tmp_path, rate):
    time = np.arange(2 * rate) / rate
    sf.write(tmp_path / "tone.wav", 0.5 * np.sin(2 * np.pi * 440 * time), rate)
    sound = read(tmp_path / "tone.wav")
    assert len(sound) == 2 * RATE
    peak = np.abs(np.fft.rfft(sound[: 2 * RATE])).argmax() / 2
    assert peak == 440


def test_a_file_is_read_a_second_at_a_time(tmp_path):
    sf.write(tmp_path / "long.wav", noise(5 * RATE), RATE)
    assert [len(block) for block in read_blocks(tmp_path / "long.wav", RATE)] == [RATE] * 5
    assert duration(tmp_path / "long.wav") == 5


def test_samples_over_full_scale_are_clipped_and_counted(tmp_path):
    sound = np.array([0.5, 1.5, -3.0, 1.0, -1.0], np.float32)
    assert write_blocks(tmp_path / "loud.wav", [sound], RATE).n_clipped == 2
    np.testing.assert_allclose(read(tmp_path / "loud.wav"), [0.5, 1, -1, 1, -1], atol=1e-4)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_samples_that_are_no_numbers_are_named_with_their_place(tmp_path, value):
    sound = noise(3 * RATE)
    sound[RATE + RATE // 2] = value
    sf.write(tmp_path / "bad.wav", sound, RATE, subtype="FLOAT")
    with pytest.raises(AudioError, match=r"bad\.wav: holds NaN or infinity at 1\.500 s; export"):
        read(tmp_path / "bad.wav")


def test_a_flac_file_that_is_damaged_is_not_taken_for_a_shorter_one(tmp_path):
    path = tmp_path / "damaged.flac"
    write_blocks(path, [noise(5 * RATE)], RATE)
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 2000] = bytes(2000)
    path.write_bytes(data)
    with pytest.raises(AudioError, match=r"damaged\.flac: is damaged.*export the file again"):
        read(path)


def test_samples_without_a_header_are_read_as_told(tmp_path):
    (tmp_path / "a.raw").write_bytes(struct.pack("<6h", 0, 0, 16384, 0, -16384, -16384))
    sound = read(tmp_path / "a.raw", raw=RawFormat.parse("22050,2,s16le"))
    assert sound.tolist() == [0.0, 0.25, -0.5]
    with pytest.raises(AudioError, match=r"a\.raw: cannot be read as audio"):
        duration(tmp_path / "a.raw")


def test_a_stream_has_no_known_length():
    with pytest.raises(AudioError, match="-: a stream has no length"):
        duration("-")


@pytest.mark.parametrize("text", ["22050", "22050,2,mp3", "0,1,s16le", "22050,0,s16le", "a,b,c"])
def test_a_raw_format_that_makes_no_sense_is_refused(text):
    with pytest.raises(ValueError):
        RawFormat.parse(text)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("song.xyz", r"song\.xyz: tells no format.*; end it with \.wav, \.flac"),
        ("none/song.wav", r"song\.wav: there is no folder .*none; make it first"),
        ("file/song.wav", r"song\.wav: there is no folder"),
        ("folder.wav", r"folder\.wav: is a folder"),
    ],
)
def test_an_output_that_can_not_be_is_refused_before_the_first_block(tmp_path, name, message):
    (tmp_path / "file").touch()
    (tmp_path / "folder.wav").mkdir()

    def blocks():
        pytest.fail("work was begun")
        yield

    with pytest.raises(OutputError, match=message):
        write_blocks(tmp_path / name, blocks(), RATE)


@pytest.mark.parametrize(
    ("name", "samplerate", "message"),
    [
        ("a.ogg", 250_000, r"a\.ogg: OGG can not be written at 250000 Hz; give 1 to 200000, or an"),
        ("a.flac", 700_000, "FLAC can not be written at 700000 Hz; give 1 to 655350"),
        ("a.mp3", 96_000, "MP3 can not be written at 96000 Hz; give one of .*48000"),
        ("a.wav", 0, "WAV can not be written at 0 Hz; give 1 to"),
        ("a.wav", 22_050.5, "at 22050.5 Hz"),
        ("a.wav", "44100", "at '44100' Hz"),
        ("-", 2**30, "-: WAV can not be written at"),
    ],
)
def test_a_samplerate_that_a_format_can_not_hold_is_named(tmp_path, name, samplerate, message):
    def blocks():
        pytest.fail("work was begun")
        yield

    with pytest.raises(OutputError, match=message):
        write_blocks(name if name == "-" else tmp_path / name, blocks(), samplerate)


@pytest.mark.parametrize(("suffix", "most"), [(".flac", 8), (".mp3", 2)])
def test_channels_that_a_format_can_not_hold_are_named(tmp_path, suffix, most):
    with pytest.raises(OutputError, match=f"holds at most {most} channels, not {most + 1}; give f"):
        save_audio(tmp_path / f"a{suffix}", noise(100, channels=9)[:, : most + 1], 44_100)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("suffix", KINDS)
def test_every_format_holds_what_it_is_said_to(tmp_path, suffix):
    kind = KINDS[suffix]
    sound = np.zeros((100, kind.most_channels), np.float32)
    for samplerate in (kind.samplerates[0], kind.samplerates[-1]):
        save_audio(tmp_path / f"a{suffix}", sound, samplerate)
        info = sf.info(tmp_path / f"a{suffix}")
        assert (info.samplerate, info.channels) == (samplerate, kind.most_channels)


def test_a_file_that_is_shorter_than_a_sample_is_named(tmp_path):
    sf.write(tmp_path / "a.wav", noise(100), 2**31 - 1)
    with pytest.raises(
        AudioError, match=r"a\.wav: is shorter than a sample at 22050 Hz, since its"
    ):
        read(tmp_path / "a.wav")


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ({"samplerate": 0}, "samplerate = 0; give"),
        ({"samplerate": "22050"}, "samplerate = '22050'; give"),
        ({"seconds": -1}, "seconds = -1 are no part of a sound; give seconds from 0 on, or None"),
        ({"seconds": np.inf}, "seconds = inf are no part of a sound"),
        ({"start": np.nan}, "start = nan and"),
    ],
)
def test_a_part_that_can_not_be_is_refused(tmp_path, part, message):
    sf.write(tmp_path / "a.wav", noise(RATE), 2 * RATE)
    with pytest.raises(ValueError, match=message):
        load_audio(tmp_path / "a.wav", **{"samplerate": RATE} | part)


def test_audio_is_saved_whole_as_its_blocks_are(tmp_path):
    sound = np.stack([noise(RATE), noise(RATE)], axis=1)
    assert save_audio(tmp_path / "whole.wav", sound, RATE).n_samples == RATE
    write_blocks(tmp_path / "blocks.wav", np.array_split(sound, 7), RATE)
    assert (tmp_path / "whole.wav").read_bytes() == (tmp_path / "blocks.wav").read_bytes()


def test_no_block_at_all_is_refused(tmp_path):
    message = r"a\.wav: there is no sound to write; give at least one block"
    with pytest.raises(OutputError, match=message):
        write_blocks(tmp_path / "a.wav", [], RATE)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("suffix", KINDS)
def test_a_full_disk_is_said_and_leaves_nothing(tmp_path, suffix):
    (tmp_path / f"a{suffix}.part").symlink_to("/dev/full")
    with pytest.raises(OutputError, match=rf"a\{suffix}: cannot be written \(.*\); make room"):
        write_blocks(tmp_path / f"a{suffix}", [noise(RATE)], RATE)
    assert not list(tmp_path.iterdir())


def test_an_error_while_writing_leaves_the_file_that_was_there(tmp_path):
    write_blocks(tmp_path / "a.wav", [noise(100)], RATE)
    before = (tmp_path / "a.wav").read_bytes()

    def blocks():
        yield noise(RATE)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_blocks(tmp_path / "a.wav", blocks(), RATE)
    assert (tmp_path / "a.wav").read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["a.wav"]


@pytest.fixture
def pipe(monkeypatch, capfdbinary):
    """A function that sends bytes to standard input and returns samples from standard output."""

    def through(data: bytes, **how) -> np.ndarray:
        end, other = os.pipe()
        with open(end, "rb") as incoming, open(other, "wb") as outgoing:
            monkeypatch.setattr(sys, "stdin", incoming)
            sender = Thread(target=lambda: (outgoing.write(data), outgoing.close()))
            sender.start()
            try:
                write_blocks("-", read_blocks("-", RATE, **how), RATE)
            finally:
                sender.join()
        return sf.read(io.BytesIO(capfdbinary.readouterr().out), dtype="float32")[0]

    return through


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "PCM_32", "FLOAT"])
@pytest.mark.parametrize("length", ["known", "unknown"])
def test_wav_goes_through_a_pipe(pipe, subtype, length, caplog):
    sound, file = noise(3 * RATE // 2), io.BytesIO()
    sf.write(file, sound, RATE, subtype=subtype, format="WAV")
    data = file.getvalue()
    if length == "unknown":  # as programs write that do not know it in advance
        at = data.index(b"data") + 4
        data = data[:4] + b"\xff" * 4 + data[8:at] + b"\xff" * 4 + data[at + 4 :]
    np.testing.assert_allclose(pipe(data), sound, atol=1e-4)
    assert not caplog.messages


def test_a_pipe_that_breaks_off_says_so(pipe, caplog):
    file = io.BytesIO()
    sf.write(file, noise(2 * RATE), RATE, format="WAV")
    assert len(pipe(file.getvalue()[: 2 * RATE + 44])) == RATE
    assert caplog.messages == [
        "standard input: ends after 1.0 s, before its header says; the rest is missing"
    ]


def test_samples_without_a_header_go_through_a_pipe(pipe):
    sound = noise(RATE)
    again = pipe(sound.astype("<f4").tobytes(), raw=RawFormat(RATE, 1, "FLOAT"))
    np.testing.assert_allclose(again, sound, atol=1e-4)


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".mp3"])
def test_a_file_that_is_redirected_is_read_as_a_file(tmp_path, monkeypatch, suffix):
    path = tmp_path / f"a{suffix}"
    write_blocks(path, [noise(2 * RATE)], RATE)
    data = path.read_bytes()
    if suffix == ".wav":  # never closed
        path.write_bytes(data.replace(data[40:44], bytes(4)))
    with path.open("rb") as file:
        monkeypatch.setattr(sys, "stdin", file)
        again = read("-")
        assert not file.closed
    np.testing.assert_array_equal(again, read(path))
    assert len(again) == 2 * RATE


def test_a_pipe_whose_header_says_that_it_is_empty_is_told_the_fix(pipe):
    file = io.BytesIO()
    sf.write(file, noise(RATE), RATE, format="WAV")
    data = file.getvalue()
    with pytest.raises(AudioError, match=r"standard input: holds no samples.*store it in a file"):
        pipe(data.replace(data[40:44], bytes(4)))


def test_a_pipe_that_brings_something_else_is_refused_with_the_fix(pipe):
    with pytest.raises(AudioError, match="standard input: not a WAV stream.*ffmpeg's -f wav -"):
        pipe(b"this is no sound")


# ---- odd channels


def antiphase(n_samples: int) -> np.ndarray:
    """Left, and the same upside down, as a microphone that is wired wrongly gives it."""
    return np.outer(noise(n_samples), [1, -1]).astype(np.float32)


def test_channels_that_cancel_out_are_told_and_the_left_one_can_be_had(tmp_path, caplog):
    sound = antiphase(3 * RATE)
    save_audio(tmp_path / "wrong.wav", sound, RATE)
    assert np.abs(load_audio(tmp_path / "wrong.wav", RATE)).max() < 1e-4
    (record,) = caplog.records
    assert "wrong.wav: the channels cancel each other out" in record.getMessage()
    assert "give --left to encode or prepare, or left=True to load_audio" in record.getMessage()
    caplog.clear()
    left = load_audio(tmp_path / "wrong.wav", RATE, left=True)
    np.testing.assert_allclose(left, sound[:, 0], atol=1e-4)
    np.testing.assert_allclose(read(tmp_path / "wrong.wav", left=True), left)
    assert not caplog.records


@pytest.mark.parametrize(
    "sound",
    [
        np.stack([noise(RATE), noise(RATE)], axis=1),
        np.random.default_rng(1).normal(size=(RATE, 8)) * 0.1,
        np.stack([noise(RATE), 0 * noise(RATE)], axis=1),
        np.zeros((RATE, 2)),
    ],
    ids=["the same", "eight, each its own", "one silent", "all silent"],
)
def test_other_channels_are_mixed_without_a_word(tmp_path, caplog, sound):
    sf.write(tmp_path / "fine.wav", sound, RATE)
    read(tmp_path / "fine.wav")
    assert not caplog.records


def test_channels_that_cancel_out_are_told_for_arrays_too(small_codec, caplog):
    events = small_codec.encode(antiphase(4096))
    assert not len(events)
    assert "audio: the channels cancel each other out" in caplog.text
    assert "audio[:, 0]" in caplog.text


def test_an_array_on_its_side_is_refused_with_a_hint(small_codec, tmp_path):
    sideways = noise(RATE, channels=2).T
    message = r"shape \(2, 22050\) has 22050 channels; .*transpose it: audio\.T"
    for refuse in (
        lambda: small_codec.encode(sideways),
        lambda: next(small_codec.stream([sideways])),
        lambda: next(encode_stereo(small_codec, [sideways])),
        lambda: save_audio(tmp_path / "a.wav", sideways, RATE),
    ):
        with pytest.raises(ValueError, match=message):
            refuse()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("sound", "message"),
    [
        (np.array([0.1, np.nan], np.float32), "NaN or infinite"),
        (np.array([100, -100], np.int16), "type int16; give floats"),
    ],
)
def test_what_is_no_audio_is_not_written(tmp_path, sound, message):
    with pytest.raises(ValueError, match=message):
        write_blocks(tmp_path / "a.wav", [np.zeros(2, np.float32), sound], RATE)
    assert not list(tmp_path.iterdir())
