"""A model that cannot be reached: no provider in its name, a base URL that is none, no key."""

import ipaddress
from collections.abc import Sequence
from urllib.parse import urlsplit

from walkaway.doctor.check import ENVIRONMENT, PROJECT, Check, Fault, Finding, ModelAccess, Patient, Severity

NAMELESS = Fault(code="model-name", severity=Severity.ERROR, means="`model.name` has no provider in it.")
NOWHERE = Fault(code="model-url", severity=Severity.ERROR, means="`model.base_url` is no address.")
KEYLESS = Fault(
    code="key-missing", severity=Severity.ERROR, means="The variable that holds the model's key is not set."
)
UNPROVEN = Fault(
    code="key-unproven", severity=Severity.WARNING, means="It cannot be told which variable holds the model's key."
)
UNSET = Fault(
    code="key-unset", severity=Severity.NOTE, means="No key is set for a server near by, which may not ask for one."
)


def finds(patient: Patient) -> Sequence[Finding]:
    """Return what is wrong with the model's settings."""
    model = patient.model
    if model is None:
        return []
    found: list[Finding] = []
    provider, colon, name = model.name.partition(":")
    if not (provider and colon and name):
        told = f"model.name is '{model.name}', without a provider."
        found.append(NAMELESS.found(PROJECT, told, "Write provider:model, as in openai:gpt-5."))
    if model.base_url and urlsplit(model.base_url).scheme not in {"http", "https"}:
        told = f"model.base_url is '{model.base_url}'."
        found.append(NOWHERE.found(PROJECT, told, "Write a URL that begins with http:// or https://."))
    if not model.has_key:
        found.append(_keyless(model))
    return found


def _keyless(model: ModelAccess) -> Finding:
    if model.key_variable:
        told = f"{model.key_variable}, which model.api_key_env names, is not set."
        return KEYLESS.found(ENVIRONMENT, told, "Set it to the model's key.")
    if model.base_url and _is_near(model.base_url):
        told = f"No key is set; a server at {model.base_url} may not ask for one."
        return UNSET.found(ENVIRONMENT, told, "If it does, name a variable with model.api_key_env, and set that.")
    if model.usual_variables:
        names = " or ".join(model.usual_variables)
        told = f"There is no key for {model.name}: {names} is not set."
        return KEYLESS.found(ENVIRONMENT, told, f"Set {names}, or model.api_key_env.")
    told = f"It cannot be told whether there is a key for {model.name}."
    return UNPROVEN.found(ENVIRONMENT, told, "Name its variable with model.api_key_env.")


def _is_near(url: str) -> bool:
    """Whether a URL points at this machine or its own network."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return host == "localhost" or host.endswith((".local", ".internal")) or "." not in host


CHECK = Check(
    id="model",
    healthy="The model has a provider and a key.",
    faults=(NAMELESS, NOWHERE, KEYLESS, UNPROVEN, UNSET),
    finds=finds,
    needs=("configuration",),
)
