"""Edits of event sets at the command line, and facts about them."""

import json

import mido
import numpy as np
import pytest

from sparse_codec import EncodeOptions, EventSet, SparseCodec, load_audio
from sparse_codec.__main__ import main
from sparse_codec.coding.formats import read_set

RATE = 22_050


def same(one: EventSet, other: EventSet) -> bool:
    return one.to_json() == other.to_json()


def test_json_keeps_every_number_and_may_be_edited(song, run, place, checkpoint):
    run("render", "song.events", "-o", "song.json")
    lines = (place / "song.json").read_text().splitlines()
    vectors = [line for line in lines if line.startswith("[") and len(line) > 1]
    assert len(vectors) == len(song)  # a vector a line
    assert same(read_set("song.json", checkpoint)[0], song)
    values = json.loads((place / "song.json").read_text())
    values["gains"] = [2 * gain for gain in values["gains"]]
    (place / "louder.json").write_text(json.dumps(values))
    run("render", "louder.json", "-o", "louder.wav")
    run("render", "song.json", "-o", "song-again.wav")
    louder, plain = load_audio("louder.wav", RATE), load_audio("song-again.wav", RATE)
    np.testing.assert_allclose(louder, (2 * plain).clip(-1, 1), atol=1e-3)


def test_encoding_to_json_and_midi_needs_no_other_command(song, run, place, checkpoint):
    run("encode", "song.wav", "-o", "direct.json", "--fast")
    assert same(read_set("direct.json", checkpoint)[0], song)
    run("encode", "song.wav", "-o", "song.mid", "--fast")
    assert sum(message.type == "note_on" for message in mido.MidiFile("song.mid")) == len(song)


def test_perturb_is_the_library_s(song, run, small_codec, checkpoint):
    run("perturb", "song.events", "-o", "other.events", "--amount", "0.6", "--seed", "3")
    perturbed = song.perturb(0.6, 3, small_codec.decoder.pitch_numbers)
    assert same(read_set("other.events", checkpoint)[0], perturbed)


def test_randomise_is_the_library_s(song, run, checkpoint):
    run("randomise", "song.events", "-o", "other.json", "--times", "--vectors", "--seed", "3")
    assert same(read_set("other.json", checkpoint)[0], song.randomise_vectors(3).randomise_times(3))


def test_randomise_nothing_is_wrong_usage(place, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["randomise", "song.events", "-o", "other.wav"])
    assert stopped.value.code == 2 and "--times, --vectors or both" in capsys.readouterr().err


def test_morph_is_the_library_s(song, run, checkpoint):
    run("perturb", "song.events", "-o", "other.events", "--amount", "0.6")
    run("morph", "song.events", "other.events", "-o", "between.events", "--share", "0.3")
    other = read_set("other.events", checkpoint)[0]
    assert same(read_set("between.events", checkpoint)[0], song.interpolate(other, 0.3))


def test_samples_over_full_scale_are_said(song, run, place):
    run("render", "song.events", "-o", "song.json")
    values = json.loads((place / "song.json").read_text())
    values["gains"] = [1000 * gain for gain in values["gains"]]
    (place / "loud.json").write_text(json.dumps(values))
    message = run("render", "loud.json", "-o", "loud.wav")
    assert "samples were over full scale and are clipped" in message


def test_info_is_for_people_and_for_programs(song, run, place, checkpoint, small_codec):
    text = run("info", "song.events")
    assert f"events: {len(song)}\n" in text and "seconds: 3\n" in text
    assert "mode: lossless\n" in text
    run("render", "song.events", "-o", "song.json")
    facts = json.loads(run("info", "song.json", "--json"))
    assert (facts["events"], facts["seconds"], facts["channels"]) == (len(song), 3.0, 1)
    about = json.loads(run("info", checkpoint, "--json"))
    assert about["digest"] == facts["checkpoint"]
    assert about["config"]["vector_size"] == small_codec.config.vector_size


def test_info_on_a_sound_file_says_what_it_takes(place, capsys):
    assert main(["info", "song.wav"]) == 1
    error = capsys.readouterr().err
    assert "error: song.wav: no file of events and no checkpoint; give .events, .json" in error


def test_the_shipped_model_that_made_a_file_is_found(place, music, capsys):
    codec = SparseCodec.load("speech-harmonic")
    events = codec.encode(music[:1000], options=EncodeOptions(interim=0, refine=0))
    (place / "said.json").write_text(json.dumps({"checkpoint": codec.digest, **events.to_json()}))
    assert main(["info", "said.json", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["checkpoint"] == codec.digest


def test_a_checkpoint_that_is_not_shipped_has_to_be_given(song, place, capsys):
    assert main(["decode", "song.events", "-o", "song.flac"]) == 1
    assert "is not a shipped one; give it with --model" in capsys.readouterr().err
