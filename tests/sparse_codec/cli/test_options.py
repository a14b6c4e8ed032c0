"""Every command explains itself."""

import pytest

from sparse_codec.__main__ import main

COMMANDS = (
    "encode decode info render perturb randomise morph data prepare"
    " train freeze evaluate words priors"
)


def test_every_command_has_help_with_an_example(capsys):
    for command in COMMANDS.split():
        with pytest.raises(SystemExit) as stopped:
            main([command, "--help"])
        assert stopped.value.code == 0
        assert f"example: sparse-codec {command} " in capsys.readouterr().out
