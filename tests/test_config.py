"""The settings: five layers, the origin of each value, and nothing that is not known."""

import pytest

from walkaway import config
from walkaway.core.errors import Usage
from walkaway.layout import Layout


@pytest.fixture
def place(tmp_path) -> Layout:
    (tmp_path / ".walkaway").mkdir()
    return Layout(str(tmp_path))


def project_says(place: Layout, text: str) -> None:
    with open(place.config, "w", encoding="utf-8") as sink:
        sink.write(text)


def user_says(text: str) -> None:
    path = config.user_file()
    import os

    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as sink:
        sink.write(text)


@pytest.fixture
def user(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))


def test_without_any_layer_the_documented_defaults_hold(place, user):
    read = config.load(place)
    c = read.config
    assert c.model.name == "anthropic:claude-sonnet-4-5"
    assert (c.model.base_url, c.model.api_key_env) == (None, None)
    assert (c.checks.commands, c.checks.timeout_s, c.setup.commands) == (None, 600.0, None)
    assert (c.lease.ttl_s, c.limits.attempts, c.usd) == (60.0, 3, 25.0)
    assert (c.limits.requests, c.limits.unit_time_s, c.limits.idle_s) == (200, 3600.0, 300.0)
    assert c.database.synchronous == "FULL"
    assert config.url(c, place) == f"sqlite:///{place.root}/.walkaway/state.db"
    assert {s.origin for s in read.listed()} == {"default"}


def test_each_layer_outweighs_the_one_before_and_the_origin_names_it(place, user, monkeypatch):
    def now() -> tuple[int, str]:
        read = config.load(place)
        return read.config.limits.attempts, read.origins["limits.attempts"]

    user_says("[limits]\nattempts = 4\n")
    assert now() == (4, config.user_file())
    project_says(place, "[limits]\nattempts = 5\n")
    assert now() == (5, place.config)
    monkeypatch.setenv("WALKAWAY_LIMITS__ATTEMPTS", "6")
    assert now() == (6, "variable WALKAWAY_LIMITS__ATTEMPTS")
    read = config.load(place, ["limits.attempts=7", "limits.attempts=8"])
    assert (read.config.limits.attempts, read.origins["limits.attempts"]) == (8, "--set")


def test_layers_add_up_key_by_key(place, user):
    user_says('[model]\nname = "openai:gpt-5"\n')
    project_says(place, "[limits]\nusd = 5\n")
    c = config.load(place, ["limits.attempts=2"]).config
    assert (c.model.name, c.usd, c.limits.attempts) == ("openai:gpt-5", 5.0, 2)


@pytest.mark.parametrize("where", ["user", "project", "variable", "option"])
def test_an_unknown_key_is_an_error_that_names_key_place_and_the_nearest_known_one(place, user, monkeypatch, where):
    overrides = []
    if where == "user":
        user_says("[checks]\ntimeot_s = 3\n")
        origin = config.user_file()
    elif where == "project":
        project_says(place, "[checks]\ntimeot_s = 3\n")
        origin = place.config
    elif where == "variable":
        monkeypatch.setenv("WALKAWAY_CHECKS__TIMEOT_S", "3")
        origin = "WALKAWAY_CHECKS__TIMEOT_S"
    else:
        overrides = ["checks.timeot_s=3"]
        origin = "--set"
    with pytest.raises(Usage) as wrong:
        config.load(place, overrides)
    said = str(wrong.value)
    assert "'checks.timeot_s'" in said
    assert origin in said
    assert "Did you mean checks.timeout_s?" in said


@pytest.mark.parametrize("text", ["[cheks]\ncommands = []\n", "atempts = 3\n", "[cheks]\n"])
def test_an_unknown_section_is_an_error_even_where_it_is_empty(place, user, text):
    project_says(place, text)
    with pytest.raises(Usage, match="There is no setting"):
        config.load(place)


@pytest.mark.parametrize(
    "override",
    [
        "limits.attempts=0", "limits.attempts=2.5", "limits.attempts=many", "limits.usd=-1", "limits.usd=nan",
        "limits.usd=lots", "lease.ttl_s=0", "lease.ttl_s=inf", "checks.timeout_s=-3", "checks.commands=3",
        'checks.commands=[""]', "database.synchronous=OFF", "model.name=", "limits.requests=true",
    ],
)  # fmt: skip
def test_a_value_that_cannot_be_is_an_error_that_names_it(place, user, override):
    with pytest.raises(Usage) as wrong:
        config.load(place, [override])
    assert override.partition("=")[0] in str(wrong.value)
    assert "--set" in str(wrong.value)


@pytest.mark.parametrize("override", ["limits.attempts", "limits", "=3"])
def test_an_override_without_key_or_value_is_an_error(place, user, override):
    with pytest.raises(Usage):
        config.load(place, [override])


@pytest.mark.parametrize(
    ("text", "commands"),
    [
        ("[]", ()),
        ('["make test", "ruff check"]', ("make test", "ruff check")),
        ("make test", ("make test",)),
        ('"true"', ("true",)),
        ("python -c 'x = 1'", ("python -c 'x = 1'",)),
    ],
)
def test_commands_in_a_variable_are_toml_or_one_command(place, user, monkeypatch, text, commands):
    monkeypatch.setenv("WALKAWAY_CHECKS__COMMANDS", text)
    assert config.load(place).config.checks.commands == commands


def test_a_text_setting_takes_what_looks_like_a_number_or_like_two_lines_as_text(place, user, monkeypatch):
    monkeypatch.setenv("WALKAWAY_MODEL__NAME", "123")
    assert config.load(place).config.model.name == "123"
    monkeypatch.setenv("WALKAWAY_MODEL__NAME", '"a"\nother = 3')
    assert config.load(place).config.model.name == '"a"\nother = 3'


def test_none_lifts_the_cap_on_money(place, user):
    assert config.load(place, ["limits.usd=none"]).config.usd is None
    assert config.load(place, ["limits.usd=0"]).config.usd == 0


def test_a_relative_database_is_taken_from_the_root(place, user):
    c = config.load(place, ["database.url=sqlite:///other/state.db"]).config
    assert config.url(c, place) == f"sqlite:///{place.root}/other/state.db"
    absolute = config.load(place, ["database.url=sqlite:////var/x.db"]).config
    assert config.url(absolute, place) == "sqlite:////var/x.db"
    remote = config.load(place, ["database.url=postgresql://h/d"]).config
    assert config.url(remote, place) == "postgresql://h/d"


def test_a_file_that_is_no_toml_is_an_error_that_names_it(place, user):
    project_says(place, "[limits\n")
    with pytest.raises(Usage, match=r"config\.toml is no TOML file"):
        config.load(place)


def test_the_key_comes_from_the_variable_that_the_settings_name(place, user, monkeypatch):
    monkeypatch.setenv("MY_KEY", "secret-key-1")
    assert config.load(place, ["model.api_key_env=MY_KEY"]).key == "secret-key-1"
    assert config.load(place).key == ""


def test_what_is_listed_shows_no_password(place, user):
    read = config.load(place, ["database.url=postgresql://ann:hunter22@h/d"])
    (url,) = [s for s in read.listed() if s.key == "database.url"]
    assert "hunter22" not in str(url.value)
    assert read.config.database.url is not None
    assert "hunter22" in read.config.database.url


def test_an_error_about_a_value_shows_no_password(place, user):
    with pytest.raises(Usage) as wrong:
        config.load(place, ["limits.attempts=postgresql://ann:hunter22@h/d"])
    assert "hunter22" not in str(wrong.value)


def test_the_variable_of_the_project_is_no_setting(place, user, monkeypatch):
    monkeypatch.setenv("WALKAWAY_PROJECT", "/somewhere")
    assert config.load(place).origins == {}
