"""A workflow in YAML -> a definition without a fault, or every fault of it in one sentence each.

The keys are those of the original (workflow §10.1), so that its files can be run.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

import yaml

from walkaway.core.errors import Usage
from walkaway.core.plan import command
from walkaway.core.plan.step import ITEM

VERSION = 1
FAULTY = "The workflow cannot be run: "
_NAME = re.compile(r"[a-z0-9][a-z0-9-]*")
_HOLE = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_-]*)\s*\}\}")
KEYS = frozenset({"version", "name", "description", "params", "steps"})
STEP_KEYS = frozenset(
    {"id", "name", "prompt", "requires", "depends_on", "produces", "context_from", "verify", "iterate"}
)
POLICIES: Mapping[str, frozenset[str]] = {
    "content-heuristic": frozenset({"minSize", "pattern"}),
    "shell-command": frozenset({"command"}),
    "prompt-verify": frozenset({"prompt"}),
    "human-review": frozenset(),
}
"""Verification policy -> the keys that it takes."""

Json = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepDefinition:
    """One step as it is written; ``verify`` holds ``policy`` and that policy's keys, {} where there is none."""

    id: str
    name: str
    prompt: str
    requires: tuple[str, ...] = ()
    context_from: tuple[str, ...] = ()
    produces: tuple[str, ...] = ()
    verify: Mapping[str, str] = field(default_factory=dict)
    source: str = ""
    pattern: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """A workflow whose steps can all be done, each after what it requires; every parameter has its value."""

    name: str
    description: str
    steps: tuple[StepDefinition, ...]
    params: Mapping[str, str]


def read(text: str, given: Mapping[str, str] | None = None) -> Definition:
    """Return the workflow in ``text``, its parameters filled in; raise `Usage` that names every fault.

    ``given``: parameters that a person named, over those of the file.
    """
    raw = _parsed(text)
    faults = [*_head(raw), *_steps_faults(raw)]
    if not faults:
        params = {**{str(k): str(v) for k, v in _mapping(raw, "params").items()}, **(given or {})}
        made = [_step(each) for each in _maps(raw)]
        faults = [*_order_faults(made), *_param_faults(raw, made, params, given or {})]
        if not faults:
            filled = [_filled(step, params) for step in _ordered(made)]
            return Definition(
                name=str(raw["name"]), description=str(raw.get("description", "")), steps=tuple(filled), params=params
            )
    raise Usage(FAULTY + " ".join(faults))


def about(text: str) -> tuple[str, Sequence[str]]:
    """Return what a workflow says of itself, and its parameters as ``key=value``; raise `Usage` where it has faults."""
    raw = _parsed(text)
    if faults := [*_head(raw), *_steps_faults(raw)]:
        raise Usage(FAULTY + " ".join(faults))
    params = [f"{key}={value}" for key, value in _mapping(raw, "params").items()]
    return str(raw.get("description", "")), params


def _parsed(text: str) -> Json:
    try:
        raw = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise Usage(f"The workflow is no YAML: {' '.join(str(error).split())}.") from error
    if not isinstance(raw, dict):
        raise Usage("The workflow is no YAML mapping with version, name and steps.")
    return raw


# ---- form -----------------------------------------------------------------------------------------------------------


def _head(raw: Json) -> Iterator[str]:
    if raw.get("version") != VERSION:
        yield f"version is {VERSION}, not {raw.get('version')!r}."
    if unknown := sorted(map(str, set(raw) - KEYS)):
        yield f"Unknown keys: {', '.join(unknown)}."
    if not _NAME.fullmatch(str(raw.get("name", ""))):
        yield "name is lower-case words joined by hyphens."
    params = raw.get("params", {})
    if not isinstance(params, dict) or not all(isinstance(v, str | int | float) for v in params.values()):
        yield "params is a mapping of names to texts."


def _steps_faults(raw: Json) -> Iterator[str]:
    steps = raw.get("steps")
    if not isinstance(steps, list) or not steps:
        yield "steps is a list with at least one step."
        return
    seen: set[str] = set()
    for number, each in enumerate(steps, 1):
        if not isinstance(each, dict):
            yield f"Step {number} is no mapping."
            continue
        name = str(each.get("id", ""))
        yield from (f"Step {name or number}: {fault}" for fault in _step_faults(each))
        if name in seen:
            yield f"Step {name}: its id is there twice."
        seen.add(name)


def _step_faults(raw: Json) -> Iterator[str]:
    if not _NAME.fullmatch(str(raw.get("id", ""))):
        yield "id is lower-case words joined by hyphens."
    if unknown := sorted(map(str, set(raw) - STEP_KEYS)):
        yield f"unknown keys: {', '.join(unknown)}."
    if not str(raw.get("prompt") or "").strip():
        yield "prompt says what is to be done."
    if "requires" in raw and "depends_on" in raw:
        yield "requires and depends_on are the same; keep one."
    for key in ("requires", "depends_on", "context_from", "produces"):
        if not _texts_ok(raw.get(key, [])):
            yield f"{key} is a list of texts."
    produces = raw.get("produces", [])
    if _texts_ok(produces):
        yield from (f"produces: {wrong}" for path in cast("list[str]", produces) if (wrong := _path_fault(path)))
    yield from _verify_faults(raw)
    yield from _iterate_faults(raw)


def _texts_ok(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) and each.strip() for each in value)


def _path_fault(path: str) -> str:
    inside = not path.startswith(("/", "~")) and ".." not in path.split("/")
    return "" if inside else f"{path!r} does not lie in the project."


def _verify_faults(raw: Json) -> Iterator[str]:
    verify = raw.get("verify")
    if verify is None:
        return
    if not isinstance(verify, dict) or verify.get("policy") not in POLICIES:
        yield f"verify.policy is one of {', '.join(POLICIES)}."
        return
    policy = str(verify["policy"])
    takes = POLICIES[policy]
    if unknown := sorted(map(str, set(verify) - takes - {"policy"})):
        yield f"verify with {policy} takes {', '.join(sorted(takes)) or 'nothing'}, not {', '.join(unknown)}."
    yield from (f"verify.{key} is missing." for key in ("command", "prompt") if key in takes and not verify.get(key))
    if policy == "shell-command" and (wrong := command.wrong(str(verify.get("command", "x")))):
        yield f"verify.command {wrong}."
    if policy == "content-heuristic":
        if not raw.get("produces"):
            yield "verify with content-heuristic looks at what the step produces; say what in produces."
        if not isinstance(verify.get("minSize", 1), int):
            yield "verify.minSize is a number of bytes."


def _iterate_faults(raw: Json) -> Iterator[str]:
    iterate = raw.get("iterate")
    if iterate is None:
        return
    if not isinstance(iterate, dict) or set(iterate) != {"source", "pattern"}:
        yield "iterate has source and pattern."
        return
    if wrong := _path_fault(str(iterate["source"])):
        yield f"iterate.source: {wrong}"
    try:
        groups = re.compile(str(iterate["pattern"])).groups
    except re.error as error:
        yield f"iterate.pattern is no regular expression: {error}."
        return
    if groups != 1:
        yield f"iterate.pattern has one group, the item; this one has {groups}."


# ---- meaning --------------------------------------------------------------------------------------------------------


def _mapping(raw: Json, key: str) -> Json:
    return cast("Json", raw.get(key) or {})


def _maps(raw: Json) -> list[Json]:
    return cast("list[Json]", raw["steps"])


def _texts(raw: Json, key: str) -> tuple[str, ...]:
    return tuple(cast("list[str]", raw.get(key, [])))


def _step(raw: Json) -> StepDefinition:
    iterate = _mapping(raw, "iterate")
    return StepDefinition(
        id=str(raw["id"]),
        name=str(raw.get("name") or raw["id"]),
        prompt=str(raw["prompt"]).strip(),
        requires=_texts(raw, "requires") or _texts(raw, "depends_on"),
        context_from=_texts(raw, "context_from"),
        produces=_texts(raw, "produces"),
        verify={key: str(value) for key, value in _mapping(raw, "verify").items()},
        source=str(iterate.get("source", "")),
        pattern=str(iterate.get("pattern", "")),
    )


def _order_faults(steps: Sequence[StepDefinition]) -> Iterator[str]:
    ids = {step.id for step in steps}
    for step in steps:
        for other in dict.fromkeys((*step.requires, *step.context_from)):
            if other not in ids:
                yield f"Step {step.id}: there is no step {other}."
        if step.id in step.requires:
            yield f"Step {step.id}: it requires itself."
        if late := sorted(set(step.context_from) & ids - _before(steps, step)):
            yield f"Step {step.id}: context_from names {', '.join(late)}, which it does not require."
    done = {step.id for step in _ordered(steps)}
    if circular := sorted(s.id for s in steps if s.id not in done and not (set(s.requires) - ids)):
        yield f"These steps wait for each other: {', '.join(circular)}."


def _before(steps: Sequence[StepDefinition], step: StepDefinition) -> set[str]:
    """Return the steps that are done before ``step``."""
    by_id = {each.id: each for each in steps}
    todo, found = [*step.requires], set[str]()
    while todo:
        name = todo.pop()
        if name in by_id and name not in found:
            found.add(name)
            todo += by_id[name].requires
    return found


def _ordered(steps: Sequence[StepDefinition]) -> list[StepDefinition]:
    """Return the steps each after what it requires, as written otherwise; those that never can be are left out."""
    done: list[StepDefinition] = []
    while ready := [s for s in steps if s not in done and set(s.requires) <= {d.id for d in done}]:
        done.append(ready[0])
    return done


def _param_faults(
    raw: Json, steps: Sequence[StepDefinition], params: Mapping[str, str], given: Mapping[str, str]
) -> Iterator[str]:
    if unknown := sorted(set(given) - {str(key) for key in _mapping(raw, "params")}):
        yield f"It has no parameter {', '.join(unknown)}."
    for name, value in params.items():
        if ".." in value:
            yield f"Parameter {name}: a value holds no '..'."
    for step in steps:
        texts = (step.prompt, *step.produces, *step.verify.values(), step.source)
        for hole in dict.fromkeys(hole for text in texts for hole in _HOLE.findall(text)):
            if hole == "item" and not step.pattern:
                yield f"Step {step.id}: {ITEM} stands for an item, and the step has no iterate."
            elif hole != "item" and not params.get(hole):
                yield f"Step {step.id}: {{{{{hole}}}}} has no value; give it as {hole}=VALUE."


def _filled(step: StepDefinition, params: Mapping[str, str]) -> StepDefinition:
    def fill(text: str) -> str:
        return _HOLE.sub(lambda hole: ITEM if hole[1] == "item" else params[hole[1]], text)

    return StepDefinition(
        id=step.id,
        name=fill(step.name),
        prompt=fill(step.prompt),
        requires=step.requires,
        context_from=step.context_from,
        produces=tuple(map(fill, step.produces)),
        verify={key: fill(value) for key, value in step.verify.items()},
        source=fill(step.source),
        pattern=step.pattern,
    )
