"""The tables of the article "What we tried"."""

from experiments.clips import SHIPPED
from experiments.measurements import consistent_sound, second_decoder
from experiments.measurements.rows import HEARD_FURTHER
from experiments.measurements.switches import PUBLISHED, measure
from experiments.measurements.time_codes import CODES
from experiments.sections.ablations import (
    ablation_table,
    decoder_table,
    further_table,
    phase_table,
    precision_table,
    recovery_table,
    sound_table,
    speech_table,
)
from sparse_codec import SparseCodec
from sparse_codec.audio.recordings import find_recordings


def test_a_table_has_a_row_for_each_run():
    run = {
        "steps": 3,
        "greedy": [0.1, 0.1],
        "refined": [0.2, 0.2],
        "sound": [0.1, 0.0],
        "log_mel": 9.0,
        "seconds": 1.0,
    }
    table = ablation_table({"minutes": 2, "runs": {"default": run, PUBLISHED: run}})
    assert len(table.rows) == 2 and all(len(row) == len(table.headers) for row in table.rows)


def test_a_decoder_has_a_column_with_its_size_and_its_training(small_codec, tmp_path):
    path = tmp_path / "small.safetensors"
    history = [{"step": 2, "seconds": 60, "l2": 0.1, "l1": 0.0}]
    card = {
        "steps": 2,
        "hours": 0.05,
        "train_recordings": 5,
        "history": history,
        "training": {"minutes": 4.0},
    }
    small_codec.save(path, card)
    codec = SparseCodec.load(path)
    run = second_decoder.facts(codec) | measure(codec, find_recordings(SHIPPED / "music")[:1])
    assert run["parameters"] > run["decoder_parameters"] > 0 and run["history"] == history
    assert run["minutes"] == 4
    table = decoder_table({"segments": 1, "decoders": {second_decoder.kind_of(codec): run}})
    assert table.headers == ["Of a decoder", "harmonic"]
    assert ["Minutes until it was best", "3"] in table.rows
    assert ["Steps until then", "2"] in table.rows


def test_every_way_to_sound_has_a_row_and_every_segment_its_opinions():
    ways = (consistent_sound.FIRST, consistent_sound.PLAIN, "consistent, 3 steps")
    low, high = (
        {way: dict.fromkeys(consistent_sound.NAMES, x + i) for i, way in enumerate(ways)}
        for x in (0.0, 1.0)
    )
    segments = {
        name: {"ways": figures, "opinions of other phases": [2.0, 1.0, 3.0]}
        for name, figures in (("b", high), ("a", low))
    }
    figures = {"steps": 3, "segments": segments}
    table = sound_table(figures)
    assert [row[0] for row in table.rows] == list(ways)
    assert [row[1] for row in table.rows] == ["0.500", "1.500", "2.500"]
    assert phase_table(figures).rows == [
        ["a", "0.00", "1.00", "2.00", "1.00 to 3.00"],
        ["b", "1.00", "2.00", "3.00", "1.00 to 3.00"],
    ]
    assert all(len(row) == len(table.headers) for row in table.rows)


def test_every_way_to_look_further_has_a_row_of_means():
    with_labels, without = (
        dict.fromkeys(names, x)
        for names, x in ((HEARD_FURTHER, 1.0), (HEARD_FURTHER[:6] + HEARD_FURTHER[7:], 0.0))
    )
    table = further_table(
        {
            "segments": {
                "a": {"way": with_labels, "other": without},
                "b": {"way": without} | {"other": with_labels},
            }
        }
    )
    assert [row[0] for row in table.rows] == ["way", "other"]
    assert table.rows[0] == ["way", *["0.500"] * 4, "0.50", "0.50", "1.00", "0.5"]
    assert all(len(row) == len(table.headers) for row in table.rows)


def test_every_number_of_events_has_a_row_with_each_speaker():
    estoi = {"24": {"one": 0.5, "two": 0.25}, "12": {"one": 0.75, "two": 1}}
    table = speech_table({"rate": 600, "clips": 2, "estoi": estoi})
    assert table.headers[1:] == ["one", "two"]
    assert table.rows == [["24", "0.500", "0.250"], ["12", "0.750", "1.000"]]


def test_every_code_has_a_column_in_each_table():
    recovery = [
        {"found": 0.5, "steps": 3, "frames_left": 0.1},
        {"found": 0.0, "steps": None, "frames_left": 9.0},
    ]
    off, bits = {"segment": 0.25, "10 h": 7.4e-6}, {"plain": 17, "coded": 17.0}
    code = {"samples_off": off, "bits": bits, "recovery": recovery}
    figures = {"errors": [1, 4], "events": 20, "steps": 60, "codes": {name: code for name in CODES}}
    precision, recovered = precision_table(figures), recovery_table(figures)
    assert precision.headers == ["Of a code", *CODES] and recovered.headers == [
        "Frames off",
        *CODES,
    ]
    assert [row[1] for row in precision.rows] == ["0.25", "0.000007", "17", "17"]
    assert [row[:2] for row in recovered.rows] == [["1", "50 % (3)"], ["4", "0 %"]]
