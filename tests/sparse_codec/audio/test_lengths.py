"""Sound is read to its end, whatever the header says of its length."""

import os
import re
import shutil
import struct
import subprocess

import numpy as np
import pytest
import soundfile as sf

from sparse_codec.audio.decoder import AudioError, Decoder, Sound, open_sounds
from sparse_codec.audio.files import WRITTEN, duration, load_audio, read_blocks, save_audio
from sparse_codec.audio.streams import LAYOUTS, Stream, StreamFile, find_streams

RATE = 22_050
FRAME = 1152  # samples of a frame of MP3; no other codec has longer ones in these files
LOSSY = (("OGG", "VORBIS"), ("MP3", "MPEG_LAYER_III"))
NOT_WRITTEN = {  # by libsndfile
    *(("MP3", "MPEG_LAYER_I"), ("MP3", "MPEG_LAYER_II"), ("WAV", "MPEG_LAYER_III")),
    *(("AIFF", "DWVW_12"), ("RAW", "FLOAT")),
}
NOT_IN_FFMPEG = {"HTK", "MAT4", "MAT5", "MPC2K", "SD2", "WVE", "XI"}  # or taken for MP3
KINDS = [
    (kind, subtype)
    for kind in sf.available_formats()
    for subtype in sf.available_subtypes(kind)
    if kind != "RAW" and (kind, subtype) not in NOT_WRITTEN
]


def noise(n_samples: int, level: float = 0.1) -> np.ndarray:
    return (level * np.random.default_rng(0).normal(size=n_samples)).astype(np.float32)


def write(path, sound: np.ndarray, kind: str, subtype: str, rate: int = RATE, **options) -> bytes:
    with sf.SoundFile(path, "w", rate, 1, subtype, format=kind, **options) as file:
        for block in np.array_split(sound, 5):
            file.write(block)
    return path.read_bytes()


def length(path) -> int:
    """The samples that are read, at the file's own rate."""
    samplerate = next(open_sounds(path)).samplerate
    return sum(map(len, read_blocks(path, samplerate)))


def ffmpeg_length(path) -> int | None:
    """The samples that FFmpeg decodes of one channel; None for a file that it cannot read."""
    command = ["ffmpeg", "-v", "error", "-nostdin", "-i", path, "-f", "f32le", "-"]
    decoded = subprocess.run(command, capture_output=True)
    return len(decoded.stdout) // 4 if decoded.returncode == 0 else None


# ---- every format


@pytest.fixture
def made(tmp_path, request):
    """A file of one format, and a copy of which the end is cut off."""
    kind, subtype = request.param
    telephone = kind == "WVE" or subtype.startswith(("GSM", "G72"))
    rate = 8_000 if telephone else 48_000 if subtype == "OPUS" else RATE
    whole, cut = tmp_path / f"whole.{kind.lower()}", tmp_path / f"cut.{kind.lower()}"
    sound = noise(rate + 80)  # even, and tens: some formats are padded to these
    data = write(whole, sound, kind, subtype, rate)
    cut.write_bytes(data[: len(data) * 3 // 5 + 1])
    return kind, subtype, whole, cut, len(sound)


def tolerance(kind: str, subtype: str) -> int:
    """Samples that two decoders may differ by: those of a packet, or of a codec's frame."""
    if kind in ("SDS", "VOC"):
        return 60
    return 0 if subtype.startswith(("PCM", "FLOAT", "DOUBLE", "ULAW", "ALAW")) else FRAME


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("ffmpeg"), reason="FFmpeg tells the lengths; install ffmpeg")
@pytest.mark.parametrize("made", KINDS, ids="-".join, indirect=True)
def test_every_format_is_as_long_as_ffmpeg_says_and_so_is_its_beginning(made, caplog):
    kind, subtype, whole, cut, n_written = made
    allowed = tolerance(kind, subtype)
    in_ffmpeg = kind not in NOT_IN_FFMPEG and "NMS" not in subtype
    n_whole = length(whole)
    assert abs(n_whole - n_written) <= allowed
    if in_ffmpeg and (expected := ffmpeg_length(whole)):
        assert abs(n_whole - expected) <= allowed
    assert duration(whole) == pytest.approx(n_whole / next(open_sounds(whole)).samplerate)
    assert not caplog.records, "a whole file was said to be cut"

    try:
        n_cut = length(cut)
    except AudioError as error:
        assert str(cut) in str(error)
        return
    assert n_cut < n_whole
    if in_ffmpeg and (expected := ffmpeg_length(cut)):
        assert abs(n_cut - expected) <= allowed
    if cut.read_bytes()[:4] in {*LAYOUTS, b".snd", b"OggS"} or kind == "MP3":
        assert f"{cut}: ends after" in caplog.text


# ---- headers that lie


def unknown_in_wav(data: bytes, size: int) -> bytes:
    at = data.index(b"data") + 4
    size_of_file = struct.pack("<I", min(size + 36, 2**32 - 1) if size else 0)
    return data[:4] + size_of_file + data[8:at] + struct.pack("<I", size) + data[at + 4 :]


def unknown_in_rf64(data: bytes, _: int) -> bytes:
    return data[:20] + bytes(24) + data[44:]  # sizes of file and samples, number of samples


def unknown_in_au(data: bytes, size: int) -> bytes:
    return data[:8] + struct.pack(">I", size) + data[12:]


def unknown_in_aiff(data: bytes, _: int) -> bytes:
    frames, samples = data.index(b"COMM") + 10, data.index(b"SSND") + 4
    data = data[:frames] + bytes(4) + data[frames + 4 : samples] + bytes(4) + data[samples + 4 :]
    return data[:4] + bytes(4) + data[8:]


def unknown_in_caf(data: bytes, _: int) -> bytes:
    at = data.index(b"data") + 4
    return data[:at] + b"\xff" * 8 + data[at + 8 :]


def unknown_in_flac(data: bytes, _: int) -> bytes:
    """36 bits for the number of samples, 0 where it is not known."""
    return data[:21] + bytes([data[21] & 0xF0]) + bytes(4) + data[26:]


OPEN = {
    "WAV, 0": ("WAV", unknown_in_wav, 0),
    "WAV, all bits": ("WAV", unknown_in_wav, 2**32 - 1),
    "WAV of sox": ("WAV", unknown_in_wav, 0x7FFFF000),
    "WAV of arecord": ("WAV", unknown_in_wav, 2**31),
    "RF64": ("RF64", unknown_in_rf64, 0),
    "AU, 0": ("AU", unknown_in_au, 0),
    "AU, all bits": ("AU", unknown_in_au, 2**32 - 1),
    "AIFF": ("AIFF", unknown_in_aiff, 0),
    "CAF": ("CAF", unknown_in_caf, 0),
    "FLAC": ("FLAC", unknown_in_flac, 0),
}


@pytest.mark.parametrize("name", OPEN)
def test_a_file_that_was_never_closed_is_read_to_its_end(tmp_path, caplog, name):
    kind, spoil, size = OPEN[name]
    sound, path = noise(2 * RATE + 5), tmp_path / "open.bin"
    path.write_bytes(spoil(write(path, sound, kind, "PCM_16"), size))
    np.testing.assert_allclose(load_audio(path, RATE), sound, atol=1e-4)
    np.testing.assert_allclose(np.concatenate(list(read_blocks(path, RATE))), sound, atol=1e-4)
    part = load_audio(path, RATE, start=1.5, seconds=0.25)
    np.testing.assert_allclose(part, sound[round(1.5 * RATE) :][: len(part)], atol=1e-4)
    assert duration(path) == len(sound) / RATE
    assert not caplog.records, "nothing is missing"


def test_an_empty_file_with_a_tag_behind_is_empty(tmp_path):
    data = write(tmp_path / "empty.wav", noise(0), "WAV", "PCM_16")
    tag = b"LIST" + struct.pack("<I", 12) + b"INFOISFT" + bytes(4)
    size = struct.pack("<I", len(data) - 8 + len(tag))
    (tmp_path / "empty.wav").write_bytes(data[:4] + size + data[8:] + tag)
    with pytest.raises(AudioError, match="holds no samples"):
        load_audio(tmp_path / "empty.wav", RATE)


def test_a_size_that_its_place_can_not_hold_is_no_error(tmp_path):
    """5 GB that were never closed, most of them a hole in the file."""
    data = write(tmp_path / "large.wav", noise(0), "WAV", "PCM_16")
    (tmp_path / "large.wav").write_bytes(unknown_in_wav(data, 2**32 - 1))
    os.truncate(tmp_path / "large.wav", 5 * 10**9)
    (stream,) = find_streams(open(tmp_path / "large.wav", "rb", buffering=0))  # noqa: SIM115
    assert stream.is_cut, "libsndfile reads the first 4 GiB, and that is told"
    assert duration(tmp_path / "large.wav") == pytest.approx(2**31 / RATE, abs=1)


def without_tag(mp3: bytes) -> bytes:
    """MP3 without its first frame, which is no sound, but tells the length."""
    second = mp3.index(mp3[:2], 4)
    assert re.search(b"Xing|Info", mp3[:second])
    return mp3[second:]


@pytest.mark.parametrize("first", [1.0, 0.001], ids=["loud first", "quiet first"])
@pytest.mark.parametrize("mode", ["CONSTANT", "VARIABLE"])
def test_mp3_without_a_length_is_read_to_its_end(tmp_path, first, mode):
    levels = np.repeat([first, 1.001 - first], 4 * RATE).astype(np.float32)
    sound, path = noise(8 * RATE) * levels, tmp_path / "guess.mp3"
    data = write(path, sound, "MP3", "MPEG_LAYER_III", bitrate_mode=mode, compression_level=0.5)
    path.write_bytes(without_tag(data))
    whole = load_audio(path, RATE)
    assert 0 <= len(whole) - len(sound) <= 4 * FRAME  # the delay of encoder and decoder
    assert sum(map(len, read_blocks(path, RATE))) == len(whole)
    assert duration(path) == len(whole) / RATE
    part = load_audio(path, RATE, start=6.0, seconds=0.5)
    np.testing.assert_allclose(part, whole[6 * RATE :][: len(part)], atol=1e-3)


def wav_of(mp3: bytes) -> bytes:
    """MP3 in a WAV file, which says nothing of its length."""
    form = struct.pack("<HHIIHHHHIHHH", 0x55, 1, RATE, 4_000, 1, 0, 12, 1, 2, 522, 1, 1393)
    chunks = b"WAVEfmt " + struct.pack("<I", len(form)) + form
    chunks += b"data" + struct.pack("<I", len(mp3)) + mp3 + b"\0" * (len(mp3) % 2)
    chunks += b"LIST" + struct.pack("<I", 4) + b"INFO"
    return b"RIFF" + struct.pack("<I", len(chunks)) + chunks


@pytest.mark.parametrize("wrap", [wav_of, lambda mp3: bytes(3000) + mp3], ids=["WAV", "zeros"])
@pytest.mark.parametrize("has_tag", [True, False])
def test_mp3_that_is_wrapped_is_read_as_mp3(tmp_path, caplog, wrap, has_tag):
    path, sound = tmp_path / "wrapped.bin", noise(6 * RATE)
    sound[3 * RATE :] *= 0.001
    data = write(path, sound, "MP3", "MPEG_LAYER_III", bitrate_mode="VARIABLE")
    path.write_bytes(data if has_tag else without_tag(data))
    bare = load_audio(path, RATE)
    path.write_bytes(wrap(path.read_bytes()))
    np.testing.assert_array_equal(load_audio(path, RATE), bare)
    assert duration(path) == len(bare) / RATE
    assert not caplog.records


@pytest.mark.parametrize(
    ("kind", "subtype", "rate", "tag"),
    [
        ("OGG", "VORBIS", RATE, b""),
        ("OGG", "OPUS", 48_000, b""),
        ("MP3", "MPEG_LAYER_III", RATE, b""),
        ("MP3", "MPEG_LAYER_III", RATE, b"TAG" + bytes(125)),
    ],
)
def test_streams_that_follow_each_other_in_a_file_are_all_read(tmp_path, kind, subtype, rate, tag):
    path = tmp_path / "chain.bin"
    parts = [noise(2 * rate), noise(rate)[::-1], noise(2 * rate)]
    path.write_bytes(b"".join(write(path, part, kind, subtype, rate) + tag for part in parts))
    whole = load_audio(path, rate)
    assert len(whole) == 5 * rate and duration(path) == 5
    later = load_audio(path, rate, start=2.5, seconds=1.0)  # over the border of two streams
    np.testing.assert_allclose(later, whole[round(2.5 * rate) :][: len(later)], atol=1e-3)
    assert len(later) >= rate
    with pytest.raises(AudioError, match="ends before 9.0 s"):
        load_audio(path, rate, start=9.0)


@pytest.mark.parametrize(("kind", "subtype"), LOSSY)
def test_a_copy_that_breaks_off_is_as_long_as_what_is_there(tmp_path, caplog, kind, subtype):
    path = tmp_path / "cut.bin"
    data = write(path, noise(4 * RATE), kind, subtype)
    path.write_bytes(data[: len(data) * 3 // 5])
    n_there = len(load_audio(path, RATE))
    assert 2 * RATE < n_there < 3 * RATE
    assert duration(path) == n_there / RATE
    caplog.clear()
    with pytest.raises(AudioError, match="ends before 3.5 s"):
        load_audio(path, RATE, start=3.5)
    assert f"{path}: ends after {n_there / RATE:.1f} s" in caplog.text


def test_a_link_that_breaks_off_does_not_hide_the_next_one(tmp_path, caplog):
    path, sound = tmp_path / "chain.ogg", noise(4 * RATE)
    data = write(path, sound, "OGG", "VORBIS")
    path.write_bytes(data[: len(data) * 3 // 5])
    n_first = len(load_audio(path, RATE))
    path.write_bytes(data[: len(data) * 3 // 5] + data)
    caplog.clear()
    whole = load_audio(path, RATE)
    assert len(whole) == n_first + len(sound)
    assert caplog.text.count("ends after") == 1
    assert duration(path) == pytest.approx(len(whole) / RATE)
    later = load_audio(path, RATE, start=n_first / RATE + 1.0, seconds=0.5)
    np.testing.assert_allclose(later, whole[n_first + RATE :][: len(later)], atol=1e-3)


def test_a_chunk_of_sizes_without_sizes_is_refused_in_words(tmp_path):
    path = tmp_path / "short.rf64"
    path.write_bytes(b"RF64" + bytes(4) + b"WAVEds64" + bytes(4) + b"data" + b"\xff" * 4 + bytes(2))
    with pytest.raises(AudioError, match="cannot be read as audio"):
        load_audio(path, RATE)


def test_links_of_a_chain_may_differ_in_samplerate(tmp_path):
    path = tmp_path / "chain.ogg"
    links = [write(path, noise(rate), "OGG", "VORBIS", rate) for rate in (RATE, 44_100)]
    path.write_bytes(b"".join(links))
    assert len(load_audio(path, RATE)) == 2 * RATE


# ---- how it is read


@pytest.mark.parametrize("subtype", ["GSM610", "G721_32", "NMS_ADPCM_32"])
def test_what_has_no_seek_is_read_on_from_where_it_begins(tmp_path, subtype):
    path, sound = tmp_path / "telephone.wav", noise(3 * 8_000)
    write(path, sound, "WAV", subtype, 8_000)
    whole = load_audio(path, 8_000)
    assert 0 <= len(whole) - len(sound) < FRAME
    part = load_audio(path, 8_000, start=1.5, seconds=1.0)
    np.testing.assert_array_equal(part, whole[12_000:][: len(part)])
    assert len(part) == 8_001


def test_a_resource_fork_beside_a_file_does_not_matter(tmp_path):
    path = tmp_path / "song.mp3"
    path.write_bytes(without_tag(write(path, noise(RATE), "MP3", "MPEG_LAYER_III")))
    n_samples = len(load_audio(path, RATE))
    (tmp_path / "._song.mp3").write_bytes(bytes.fromhex("00051607 00020000") + bytes(360))
    assert len(load_audio(path, RATE)) == n_samples


def test_a_file_whose_bytes_are_anything_is_read_or_refused_in_words(tmp_path):
    """Headers and streams with a few bytes changed, or cut anywhere."""
    rng, path = np.random.default_rng(0), tmp_path / "changed.bin"
    for kind, subtype in (("WAV", "PCM_16"), ("CAF", "PCM_16"), ("FLAC", "PCM_16"), *LOSSY):
        data = write(path, noise(RATE // 4), kind, subtype)
        for _ in range(40):
            changed = bytearray(data[: rng.integers(1, len(data) + 1)])
            for place in rng.integers(0, len(changed), 3):
                if not 20 < place < 32:  # a samplerate of 1 Hz would be a long sound
                    changed[place] = rng.integers(256)
            path.write_bytes(changed)
            try:
                load_audio(path, RATE), load_audio(path, RATE, 0.2, 0.1), duration(path)
            except AudioError as error:
                assert str(path) in str(error)


class FailingFile:
    """A file on a disk that breaks after the header."""

    def __init__(self, path, error: BaseException):
        self.file, self.error = open(path, "rb", buffering=0), error

    def seek(self, place: int) -> None:
        self.file.seek(place)

    def readinto(self, buffer) -> int | None:
        if self.file.tell() > 10_000:
            raise self.error
        return self.file.readinto(buffer)


@pytest.mark.parametrize(
    ("error", "seen"),
    [(OSError(5, "Input/output error"), AudioError), (KeyboardInterrupt(), KeyboardInterrupt)],
)
def test_a_disk_that_fails_is_no_end_of_the_sound(tmp_path, error, seen):
    path = tmp_path / "a.wav"
    data = write(path, noise(3 * RATE), "WAV", "PCM_16")
    source = StreamFile(FailingFile(path, error), Stream(0, len(data)))
    with Decoder(source) as opened, pytest.raises(seen) as raised:
        sound = Sound(str(path), opened, Stream(0, len(data)), source)
        while len(sound.read(RATE)):
            pass
    if seen is AudioError:
        assert f"{path}: is damaged after" in str(raised.value)
        assert "Input/output error" in str(raised.value)


def test_the_writer_hands_over_a_little_at_a_time(tmp_path, monkeypatch):
    """libsndfile's Ogg crashes if it gets minutes at once."""
    sizes, write_block = [], sf.SoundFile.write

    def written(file, block):
        sizes.append(len(block))
        write_block(file, block)

    monkeypatch.setattr(sf.SoundFile, "write", written)
    sound = noise(3 * WRITTEN + 1)
    assert save_audio(tmp_path / "long.ogg", sound, RATE).n_samples == len(sound) == sum(sizes)
    assert max(sizes) <= WRITTEN
