"""A model that cannot be reached: no provider in its name, a base URL that is none, no key."""

import ipaddress
from collections.abc import Sequence
from urllib.parse import urlsplit

from walkaway.doctor.check import Check, Finding, ModelAccess, Patient, error, note, warning

ID = "model"


def finds(patient: Patient) -> Sequence[Finding]:
    """Return what is wrong with the model's settings."""
    model = patient.model
    if model is None:
        return [] if patient.configuration else [note(ID, "The model's settings were not looked at.")]
    found: list[Finding] = []
    provider, colon, name = model.name.partition(":")
    if not (provider and colon and name):
        told = f"model.name is '{model.name}', without a provider."
        found.append(error(ID, told, "Write provider:model, as in openai:gpt-5."))
    if model.base_url and urlsplit(model.base_url).scheme not in {"http", "https"}:
        told = f"model.base_url is '{model.base_url}'."
        found.append(error(ID, told, "Write a URL that begins with http:// or https://."))
    if not model.has_key:
        found.append(_keyless(model))
    return found


def _keyless(model: ModelAccess) -> Finding:
    if model.key_variable:
        told = f"{model.key_variable}, which model.api_key_env names, is not set."
        return error(ID, told, "Set it to the model's key.")
    if model.base_url and _is_near(model.base_url):
        return note(ID, f"No key is set; a server at {model.base_url} may not ask for one.")
    if model.usual_variables:
        names = " or ".join(model.usual_variables)
        told = f"There is no key for {model.name}: {names} is not set."
        return error(ID, told, f"Set {names}, or model.api_key_env.")
    told = f"It cannot be told whether there is a key for {model.name}."
    return warning(ID, told, "Name its variable with model.api_key_env.")


def _is_near(url: str) -> bool:
    """Whether a URL points at this machine or its own network."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return host == "localhost" or host.endswith((".local", ".internal")) or "." not in host


CHECK = Check(id=ID, healthy="The model has a provider and a key.", finds=finds)
