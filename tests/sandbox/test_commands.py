"""A command that begins imported is the command: its own environment, output, errors and exit code."""

from __future__ import annotations

from sandbox import commands

HERE = {"MODE": "sandbox"}


def test_a_command_answers_as_from_a_shell():
    done = commands.run(["--version"], HERE)
    assert done.returncode == 0
    assert "Flask" in done.stdout


def test_what_it_refuses_is_told_with_its_exit_code():
    done = commands.run(["billing", "nothing-such"], HERE)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "nothing-such" in done.stderr


def test_errors_come_with_the_output_where_they_are_merged():
    done = commands.run(["billing", "nothing-such"], HERE, merge=True)
    assert "nothing-such" in done.stdout


def test_its_environment_is_the_one_given_not_ours(monkeypatch):
    monkeypatch.setenv("MODE", "sandbox")
    done = commands.run(["billing", "backfill", "x"], {"MODE": "production"})
    assert done.returncode == 1
    assert "DATABASE_URL: not set" in done.stderr
