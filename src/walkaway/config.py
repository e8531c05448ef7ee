"""Every setting: one schema, five layers, the origin of each value; read once into a frozen value.

Rule: this is the only module that knows which file, variable or option means what. The layers, later ones win:
defaults, the user's ``config.toml``, the project's ``.walkaway/config.toml``, variables
``WALKAWAY_<SECTION>__<KEY>`` (values written as in TOML, else taken as text), ``--set section.key=value``.
"""

import difflib
import os
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator

from walkaway.core.errors import Usage
from walkaway.layout import Layout, Resolved
from walkaway.redact import redact

DEFAULT = "default"

Raw = object
"""A value as it was written, before the schema has judged it."""


def _words(raw: Raw) -> Raw:
    """Take one command as a list of one."""
    if isinstance(raw, str):
        return (raw,)
    return tuple(raw) if isinstance(raw, list) else raw


Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Commands = Annotated[tuple[Annotated[str, Field(min_length=1)], ...] | None, BeforeValidator(_words)]


class Section(BaseModel):
    """A group of settings: what it does not name is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, protected_namespaces=())


class Model(Section):
    """Which model does the work."""

    name: str = Field("anthropic:claude-sonnet-4-5", min_length=1, description="provider:model")
    base_url: str | None = Field(None, description="another server that speaks the provider's protocol")
    api_key_env: str | None = Field(None, description="the variable that holds the key; unset: the usual one")


class Checks(Section):
    """How the project's own commands judge the work."""

    commands: Commands = Field(None, description="unset: discovered from the project's files; []: none")
    timeout_s: Seconds = Field(600.0, description="how long one check may take")
    tests: Literal["flag", "refuse", "off"] = Field(
        "flag", description="what follows where a task's tests ask less than before, or pass without its implementation"
    )


class Setup(Section):
    """What makes a fresh checkout ready."""

    commands: Commands = Field(None, description="unset: discovered from the project's lock files; []: none")


class Lease(Section):
    """How long a worker is believed without a word from it."""

    ttl_s: Seconds = Field(60.0, description="a crashed worker on another host is replaced after this time")


class Database(Section):
    """Where the state is."""

    url: str | None = Field(None, description="sqlite:///path or postgresql://…; unset: .walkaway/state.db")
    synchronous: Literal["FULL", "NORMAL"] = Field("FULL", description="SQLite only; NORMAL may lose the last second")


class Limits(Section):
    """What may be spent."""

    usd: Annotated[float, Field(ge=0, allow_inf_nan=False)] | Literal["none"] = Field(
        25.0, description='US dollars per milestone; "none": no cap'
    )
    attempts: int = Field(3, ge=1, description="how often a unit is tried before a person is asked")
    requests: int = Field(200, ge=1, description="requests to the model per attempt")
    unit_time_s: Seconds = Field(3600.0, description="how long one attempt may take")
    idle_s: Seconds = Field(300.0, description="how long a model may say nothing")


class Hook(Section):
    """One command of the user's around units."""

    name: str = Field(pattern="^[a-z0-9][a-z0-9-]*$")
    units: Annotated[tuple[str, ...], BeforeValidator(_words)] = ()
    run: str = Field(min_length=1)


Hooked = Annotated[tuple[Hook, ...], BeforeValidator(_words)]


class Hooks(Section):
    """The user's own commands around units; each runs once `walkaway trust` has been told so."""

    before: Hooked = Field((), description="asked before a unit begins: name, run, and units (none: all)")
    after: Hooked = Field((), description="told how a unit ended; the same keys")
    timeout_s: Seconds = Field(30.0, description="how long one hook may take")

    @field_validator("before", "after")
    @classmethod
    def _each_once(cls, hooks: tuple[Hook, ...]) -> tuple[Hook, ...]:
        """Refuse two hooks of one name: it is what trust is given to."""
        names = [hook.name for hook in hooks]
        if twice := next((name for name in names if names.count(name) > 1), ""):
            message = f"two hooks are called '{twice}'"
            raise ValueError(message)
        return hooks


class Workflow(Section):
    """Which steps a milestone takes."""

    profile: Literal["budget", "balanced", "quality", "max"] = Field(
        "balanced",
        description="budget: no validation; quality: research, questions, reassessment; max: also trials",
    )
    questions: Literal["ask", "assume"] = Field(
        "ask", description="what an agent asks: ask you and wait, or let it assume; gates always wait for you"
    )
    scope: Literal["auto", "trivial", "standard", "complex"] = Field(
        "auto", description="how much there is to a milestone; auto: judged by its plan; trivial: not validated"
    )
    discuss: bool | None = Field(
        None, description="think a milestone through before planning it; unset: as the profile"
    )
    uat_dispatch: bool | None = Field(None, description="try each slice out as a user would; unset: as the profile")
    planning: Literal["light", "deep"] = Field(
        "light", description="deep: a project begins with what it is and has to do, which you confirm"
    )
    depth_gate: bool = Field(default=False, description="wait until you confirm what was thought, before it is planned")
    require_slice_discussion: bool = Field(default=False, description="ask you before each slice is planned")


class Config(Section):
    """Every setting of a project."""

    model: Model = Model()
    checks: Checks = Checks()
    setup: Setup = Setup()
    lease: Lease = Lease()
    database: Database = Database()
    limits: Limits = Limits()
    workflow: Workflow = Workflow()
    hooks: Hooks = Hooks()

    @property
    def usd(self) -> float | None:
        """The money for one milestone; None where there is no cap."""
        return None if self.limits.usd == "none" else self.limits.usd


@dataclass(frozen=True, slots=True)
class Setting:
    """One value, where it comes from and what it means; secrets in it are not shown."""

    key: str
    value: Raw
    origin: str
    help: str


@dataclass(frozen=True, slots=True)
class Settings:
    """The configuration as read, with the origin of each value that is not a default."""

    config: Config
    origins: Mapping[str, str]
    key: str = ""
    """The model's key, from the variable that ``model.api_key_env`` names."""

    def listed(self) -> tuple[Setting, ...]:
        """Return every setting in the order of the schema."""
        return tuple(
            Setting(name, _shown(getattr(getattr(self.config, section), key)), self.origins.get(name, DEFAULT), help_)
            for name, section, key, help_ in _keys()
        )


@dataclass(frozen=True, slots=True)
class Layer:
    """Values of one origin, by ``section.key``."""

    origin: str
    values: Mapping[str, Raw]


def load(place: Layout, overrides: Iterable[str] = ()) -> Settings:
    """Read all layers; raise `Usage` for a file, key or value that is wrong, naming it and where it stands."""
    layers = (_file(user_file()), _file(place.config), _environment(os.environ), _options(overrides))
    values: dict[str, Raw] = {}
    origins: dict[str, str] = {}
    for layer in layers:
        for key, value in layer.values.items():
            _require_known(key, layer.origin)
            values[key] = value
            origins[key] = layer.origin if layer.origin != "environment" else f"variable {variable_of(key)}"
    config = _validated(values, origins)
    named = config.model.api_key_env
    return Settings(config=config, origins=origins, key=os.environ.get(named, "") if named else "")


def example() -> str:
    """Return what `walkaway init` writes where every setting can be changed."""
    return Path(__file__).with_name("example.toml").read_text(encoding="utf-8")


def user_file() -> str:
    """Return the path of the user's own settings."""
    base = os.environ.get("XDG_CONFIG_HOME", "")
    folder = base if os.path.isabs(base) else os.path.join(os.path.expanduser("~"), ".config")
    return os.path.join(folder, "walkaway", "config.toml")


def environment(place: Layout) -> None:
    """Have every child process find this project, wherever it is started."""
    os.environ["WALKAWAY_PROJECT"] = place.root


def url(config: Config, place: Layout) -> str:
    """Return the database's URL; a relative SQLite path is taken from the project's root."""
    named = config.database.url
    if named is None:
        return f"sqlite:///{place.database}"
    if not named.startswith("sqlite:///"):
        return named
    return f"sqlite:///{os.path.join(place.root, named.removeprefix('sqlite:///'))}"


def resolved(c: Config, place: Layout, target: str = "") -> Resolved:
    """Return what `query` needs of a configuration."""
    return Resolved(
        url=url(c, place),
        synchronous=c.database.synchronous,
        target=target,
        usd=c.usd,
        attempts=c.limits.attempts,
    )


def variable_of(key: str) -> str:
    """Return the environment variable that sets a key."""
    return f"WALKAWAY_{key.replace('.', '__').upper()}"


# ---- layers -------------------------------------------------------------------------------------------------------


def _file(path: str) -> Layer:
    try:
        with open(path, "rb") as source:
            found = tomllib.load(source)
    except FileNotFoundError:
        return Layer(path, {})
    except tomllib.TOMLDecodeError as error:
        raise Usage(f"{path} is no TOML file: {error}.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise Usage(f"{path} cannot be read: {error}.") from error
    values: dict[str, Raw] = {}
    for section, keys in found.items():
        if not isinstance(keys, dict):
            _require_known(section, path)
        else:
            _require_known(f"{section}.", path)
            values.update({f"{section}.{key}": value for key, value in keys.items()})
    return Layer(path, values)


def _environment(env: Mapping[str, str]) -> Layer:
    values: dict[str, Raw] = {}
    for name in sorted(env):
        section, mark, key = name.removeprefix("WALKAWAY_").partition("__")
        if name.startswith("WALKAWAY_") and mark:
            found = f"{section}.{key}".lower()
            _require_known(found, f"the variable {name}")
            values[found] = written(found, env[name])
    return Layer("environment", values)


def _options(overrides: Iterable[str]) -> Layer:
    values: dict[str, Raw] = {}
    for override in overrides:
        key, equals, text = override.partition("=")
        if not equals:
            raise Usage(f"--set takes section.key=value, not '{override}'.")
        _require_known(key.strip(), "--set")
        values[key.strip()] = written(key.strip(), text)
    return Layer("--set", values)


def written(key: str, text: str) -> Raw:
    """Return the value that ``text`` stands for: as in TOML where it is that and fits, else the text itself."""
    try:
        parsed = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        return text
    if set(parsed) != {"value"}:
        return text
    value: Raw = parsed["value"]
    wants_text = key.startswith(("model.", "database."))
    return text if wants_text and not isinstance(value, str) else value


# ---- judging ------------------------------------------------------------------------------------------------------


def _sections() -> Mapping[str, type[Section]]:
    """Return the schema's sections by name."""
    found = ((name, field.annotation) for name, field in Config.model_fields.items())
    return {name: kind for name, kind in found if isinstance(kind, type) and issubclass(kind, Section)}


def _keys() -> list[tuple[str, str, str, str]]:
    """Return (section.key, section, key, help) of every setting."""
    return [
        (f"{section}.{key}", section, key, field.description or "")
        for section, kind in _sections().items()
        for key, field in kind.model_fields.items()
    ]


def _require_known(key: str, origin: str) -> None:
    """Raise `Usage`, naming the nearest, unless the schema has this key, or this section where it ends with a dot."""
    names = [name for name, *_ in _keys()]
    wanted = key.removesuffix(".")
    if key in names or (key.endswith(".") and wanted in _sections()):
        return
    near = difflib.get_close_matches(wanted, [*names, *_sections()], n=1, cutoff=0.0)[0]
    raise Usage(f"There is no setting '{wanted}' ({origin}). Did you mean {near}? walkaway config show lists all.")


def _validated(values: Mapping[str, Raw], origins: Mapping[str, str]) -> Config:
    nested: dict[str, dict[str, Raw]] = {}
    for key, value in values.items():
        section, _, name = key.partition(".")
        nested.setdefault(section, {})[name] = value
    try:
        return Config.model_validate(nested)
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        key = ".".join(str(part) for part in fault["loc"][:2])
        shown = redact(repr(values.get(key)))
        raise Usage(f"{key} cannot be {shown} ({origins.get(key, DEFAULT)}): {fault['msg']}.") from None


def _shown(value: Raw) -> Raw:
    if isinstance(value, tuple):
        return [redact(str(each)) if isinstance(each, str) else _table(each) for each in value]
    return redact(value) if isinstance(value, str) else value


def _table(hook: Raw) -> Raw:
    return {key: _shown(value) for key, value in dict(hook).items()} if isinstance(hook, Hook) else redact(str(hook))


# ---- keys ---------------------------------------------------------------------------------------------------------

USUAL_KEYS: Mapping[str, tuple[str, ...]] = {
    "anthropic": ("ANTHROPIC_API_KEY",),
    "openai": ("OPENAI_API_KEY",),
    "openai-chat": ("OPENAI_API_KEY",),
    "openai-responses": ("OPENAI_API_KEY",),
    "google": ("GOOGLE_API_KEY", "GEMINI_API_KEY"),
    "google-gla": ("GOOGLE_API_KEY", "GEMINI_API_KEY"),
    "groq": ("GROQ_API_KEY",),
    "mistral": ("MISTRAL_API_KEY",),
    "openrouter": ("OPENROUTER_API_KEY",),
    "deepseek": ("DEEPSEEK_API_KEY",),
    "cohere": ("CO_API_KEY",),
}
"""Provider -> the variables in which its key is usually kept."""


def usual_keys(model: str) -> tuple[str, ...]:
    """Return the variables that usually hold the key of a model's provider; none where that is not known."""
    return USUAL_KEYS.get(model.partition(":")[0], ())


def has_usual_key(model: str) -> bool:
    """Whether one of those variables is set."""
    return any(os.environ.get(name) for name in usual_keys(model))
