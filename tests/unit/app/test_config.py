"""Settings: all problems at once, secrets never shown, files, several values."""

import base64

import pytest

from app.config import SANDBOX_KEY, SettingsError, load

KEY = base64.b64encode(b"k" * 32).decode()
OLD = base64.b64encode(b"o" * 32).decode()
PRODUCTION = {
    "MODE": "production", "DATABASE_URL": "postgresql://a:hidden-password@db/x", "REDIS_URL": "redis://r",
    "MASTER_KEYS": KEY, "METRICS_TOKENS": "hidden-token", "PUBLIC_URL": "https://desk.example.com",
}  # fmt: skip


def test_every_problem_is_reported_together_with_its_name():
    with pytest.raises(SettingsError) as caught:
        load({"MODE": "production", "WEB_PORT": "ten", "MASTER_KEYS": "abc", "PUBLIC_URL": "ftp://x/y"})
    names = {line.split(":")[0] for line in caught.value.problems}
    assert names == {"DATABASE_URL", "REDIS_URL", "MASTER_KEYS", "METRICS_TOKENS", "PUBLIC_URL", "WEB_PORT"}
    assert "abc" not in str(caught.value)


def test_a_complete_production_starts():
    assert load(PRODUCTION).mode == "production"


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"MASTER_KEYS": SANDBOX_KEY}, "MASTER_KEYS"),
        ({"PUBLIC_URL": "http://desk.example.com"}, "PUBLIC_URL"),
        ({"DATABASE_URL": ""}, "DATABASE_URL"),
    ],
)
def test_production_refuses_what_only_suits_a_sandbox(change, name):
    with pytest.raises(SettingsError) as caught:
        load({**PRODUCTION, **change})
    assert [line.split(":")[0] for line in caught.value.problems] == [name]


def test_secrets_do_not_print():
    shown = repr(load(PRODUCTION)) + str(load(PRODUCTION))
    assert "hidden" not in shown
    assert KEY not in shown


def test_a_secret_takes_several_values_newest_first():
    assert load({"MASTER_KEYS": f"{KEY},{OLD}"}).keys == (b"k" * 32, b"o" * 32)


def test_a_setting_can_be_a_file(tmp_path):
    (tmp_path / "keys").write_text(f"{KEY}\n{OLD}\n")
    assert len(load({"MASTER_KEYS_FILE": str(tmp_path / "keys")}).keys) == 2


def test_a_setting_given_twice_or_in_a_missing_file_is_a_problem(tmp_path):
    with pytest.raises(SettingsError) as caught:
        load({"REDIS_URL": "redis://a", "REDIS_URL_FILE": "x", "DATABASE_URL_FILE": str(tmp_path / "none")})
    assert [line.split(":")[0] for line in caught.value.problems] == ["DATABASE_URL_FILE", "REDIS_URL"]


def test_settings_cannot_be_changed():
    with pytest.raises(ValueError, match="frozen"):
        load({}).web_port = 1
