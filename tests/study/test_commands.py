"""The front door: `inbol` explains the study, and every subcommand explains itself."""

import pytest

from inbol_lib import commands
from inbol_lib.study import graph, plan, running


def help_of(*words, capsys):
    with pytest.raises(SystemExit) as ended:
        commands.main([*words, "--help"])
    assert ended.value.code == 0
    return capsys.readouterr().out


def test_inbol_explains_the_study_in_ten_lines_and_names_every_notebook_and_command(capsys):
    said = help_of(capsys=capsys)
    assert commands.DESCRIPTION in said
    assert len(commands.DESCRIPTION.splitlines()) == 10
    for name in graph.NOTEBOOKS.values():
        assert name[:2] in commands.DESCRIPTION
    for command in commands.COMMANDS.values():
        assert command.purpose in said
        assert command.example in said


@pytest.mark.parametrize("name", commands.COMMANDS)
def test_a_command_s_help_has_its_name_and_an_example(name, capsys):
    said = help_of(name, capsys=capsys)
    assert said.startswith(f"usage: inbol {name} ")
    explained = said.split("\n\n", 1)[1]
    assert f"inbol {name}" in explained, "an example"
    assert max(len(line) for line in said.splitlines()) <= 100


@pytest.mark.parametrize(("name", "module"), [("run", running), ("plan", plan)])
def test_the_examples_of_a_profile_s_commands_are_understood(name, module):
    words = commands.COMMANDS[name].example.split()[2:]
    args = module.parser().parse_args(words)
    assert running.profile_of(args).profile == args.profile


def test_an_unknown_command_is_refused_with_the_choices(capsys):
    with pytest.raises(SystemExit) as ended:
        commands.main(["nope"])
    assert ended.value.code == 2
    said = capsys.readouterr().err
    for name in commands.COMMANDS:
        assert name in said


def test_without_a_word_the_help_is_shown(capsys):
    assert commands.main([]) == 2
    assert "inbol run 05_ca_dpo" in capsys.readouterr().err


def test_ctrl_c_ends_in_one_line(runs, monkeypatch, capsys):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(running, "work", interrupted)
    assert commands.main(["run", "tour"]) == 130
    monkeypatch.setattr(plan, "main", interrupted)
    assert commands.main(["plan"]) == 130
    said = capsys.readouterr().err.splitlines()
    assert [line.partition(";")[0] for line in said] == ["stopped", "stopped"]
