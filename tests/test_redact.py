"""No secret is stored or shown, and ordinary text stays as it is."""

import time

import pytest

from walkaway.redact import REDACTED, Redactor, redact

SECRETS = {
    "openai": "sk-proj-" + "a1B2" * 8,
    "anthropic": "sk-ant-api03-" + "x_Y-" * 8,
    "github": "ghp_" + "A1b2" * 9,
    "github fine": "github_pat_" + "A1b2_" * 9,
    "gitlab": "glpat-" + "a1B2" * 5,
    "aws": "AKIA" + "ABCDEFGH12345678",
    "google": "AIza" + "Sy-a1" * 7,
    "slack": "xoxb-1234567890-abcdef",
    "stripe": "sk_live_" + "a1B2" * 6,
    "hugging face": "hf_" + "a1B2" * 8,
    "npm": "npm_" + "a1B2" * 9,
    "jwt": "eyJhbGciOiJI.eyJzdWIiOiIx.SflKxwRJSMeKKF2",
}


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS.keys())
def test_keys_of_common_vendors_are_taken_out(secret: str) -> None:
    assert redact(f"before {secret}, after") == f"before {REDACTED}, after"
    assert secret not in redact(f'{{"k": "{secret}"}}')


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Authorization: Bearer abcdef123456==", f"Authorization: Bearer {REDACTED}"),
        ("authorization: basic dXNlcjpwYXNz", f"authorization: basic {REDACTED}"),
        ("postgres://joe:s3cr@t@host/db".replace("@t", "t"), f"postgres://joe:{REDACTED}@host/db"),
        ("redis://:hunter22@host", f"redis://:{REDACTED}@host"),
        ("password=hunter22 next", f"password={REDACTED} next"),
        ('"password": "hunter22",', f'"password": "{REDACTED}",'),
        ("DB_PASSWORD='hunter22'", f"DB_PASSWORD='{REDACTED}'"),
        ("api_key: abcd1234", f"api_key: {REDACTED}"),
        ("MY_TOKEN=abcd1234", f"MY_TOKEN={REDACTED}"),
        ("client-secret = abcd1234;", f"client-secret = {REDACTED};"),
    ],
)
def test_the_value_goes_and_its_name_stays(text: str, left: str) -> None:
    assert redact(text) == left


@pytest.mark.parametrize("kind", ["RSA PRIVATE KEY", "PRIVATE KEY", "OPENSSH PRIVATE KEY", "PGP PRIVATE KEY BLOCK"])
def test_a_private_key_goes_whole_even_if_its_end_is_cut_off(kind: str) -> None:
    block = f"-----BEGIN {kind}-----\nMIIE\nabc\n-----END {kind}-----"

    assert redact(f"a\n{block}\nb") == f"a\n{REDACTED}\nb"
    assert redact(f"a\n{block[:40]}") == f"a\n{REDACTED}"


@pytest.mark.parametrize(
    "text",
    [
        "input_tokens=1000 output_tokens: 50",
        "the secret of good code is to delete it",
        "FAILED tests/test_password.py::test_it - assert 1 == 2",
        "-----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----",
        "commit 0123456789abcdef0123456789abcdef01234567",
        "task-skeleton-of-a-long-name sk-short",
        "see https://example.org:8080/path@2x.png",
        "bearer of bad news",
    ],
)
def test_ordinary_text_stays(text: str) -> None:
    assert redact(text) == text


def test_known_values_go_wherever_they_are_and_the_longest_first() -> None:
    take_out = Redactor(values=["canary-1", "canary-1-long", "", "abc"])

    assert take_out("x canary-1-long y canary-1z abc") == f"x {REDACTED} y {REDACTED}z abc"
    assert Redactor(values=["a.c*(x"])("a.c*(x abc") == f"{REDACTED} abc"


def test_twice_is_once() -> None:
    text = "\n".join([*SECRETS.values(), "password=hunter22", "Bearer abcdef123456", "p://u:pass12@h"])

    assert redact(redact(text)) == redact(text)


@pytest.mark.parametrize("text", ["x" * 65_536, "a-" * 32_768, "a." * 32_768 + "://", "token" * 13_000])
def test_a_long_word_costs_no_more_than_its_length_allows(text):
    begun = time.process_time()
    redact(text[: len(text) // 8])
    eighth = time.process_time() - begun
    begun = time.process_time()
    redact(text)
    assert time.process_time() - begun < 30 * eighth + 0.05, "about eight times, never sixty-four"
