"""What stands at the end: the evidence, the history, the tests of the built tool, and the tool itself at work."""

import textwrap
from collections.abc import Sequence

from walkaway.demo.ink import WIDTH, clock, cut, heading, indent, ink
from walkaway.demo.live import Say, plain, refused, row
from walkaway.demo.stage import MODEL, Stage
from walkaway.demo.told import Ran, Seen, evidence, runs

LINE = "refs/walkaway/M001"
TESTS = ("-m", "unittest", "discover", "-s", "tests")

SCRIPTED = (
    "The model's replies in this demo are a script, played by a server on this machine. All else is real: the agents' "
    "tools and commands, the checks, the commits."
)

HOW_WITH_A_MODEL = """\
That was a script. With a real model, in a project of your own:

  walkaway init
  export ANTHROPIC_API_KEY=…
  walkaway new --spec spec.md
  walkaway auto"""

_COMPLETED = "completed"
_FAILED = "failed"


def report(stage: Stage, say: Say, *, with_units: bool) -> bool:
    """Say how the work stands, from what is recorded; False where the tests of the built tool do not pass."""
    ran = runs(stage.walkaway("units", "--json"))
    seen = evidence(stage.walkaway("log", "--json"))
    if with_units:
        say(heading("What was done"))
        _units(ran, say)
    say(heading("The evidence: walkaway ran the project's own checks on every commit of work"))
    _evidence(ran, seen, say)
    say(heading(f"The history: main, and {LINE} with a commit for each unit"))
    _history(stage, say)
    say(heading("The tests of the built tool, on main"))
    passed = _tests(stage, say)
    say(heading("The tool"))
    for args in stage.plot.trials:
        done = stage.try_out(args)
        say(f"  {ink('$', 'dim')} python3 {' '.join(args)}\n{indent(done.output, '    ')}")
    _sum(ran, say)
    return passed


def _units(ran: Sequence[Ran], say: Say) -> None:
    for r in ran:
        mark = {_COMPLETED: ink("✓", "green"), _FAILED: ink("✗", "red")}.get(r.status, ink("○", "yellow"))
        say(f"{mark} {row(r.unit, r.attempt, r.seconds, r.usd)}")
        if r.status == _FAILED:
            say(refused(r.why))
        elif r.why:
            say(indent(r.why, "    "))


def _evidence(ran: Sequence[Ran], seen: Sequence[Seen], say: Say) -> None:
    names = {r.id: r.unit if r.attempt == 1 else f"{r.unit}, attempt {r.attempt}" for r in ran}
    looked = [s for s in seen if s.exit_code is not None]
    for command in dict.fromkeys(s.command for s in looked):
        say(cut(f"  {ink('$', 'dim')} {plain(command)}"))
        for s in looked:
            if s.command == command:
                what = f"{names.get(s.dispatch, 'main, before anything was changed')}"
                where = "the commit for main" if s.phase == "integration" else what
                mark = ink("✓", "green") if s.result == "pass" else ink("✗", "red")
                say(f"  {mark} {where:<42}{clock(s.seconds)}   exit {s.exit_code}")


def _history(stage: Stage, say: Say) -> None:
    shown = ("--decorate=short", "--decorate-refs=refs/heads/main", f"--decorate-refs={LINE}")
    drawn = stage.git("log", "--graph", "--format=%h%d %s", *shown, "main", LINE)
    say(indent(drawn))


def _tests(stage: Stage, say: Say) -> bool:
    done = stage.try_out(TESTS)
    passed = done.exit_code == 0
    lines = [line for line in done.output.strip().splitlines() if line.strip("-. ")]
    said = "\n".join(lines[-2:] if passed else lines[-20:])
    say(f"  {ink('$', 'dim')} python3 {' '.join(TESTS)}\n{indent(said, '    ')}")
    if not passed:
        say(ink(f"  They do not pass: exit code {done.exit_code}.", "red"))
    return passed


def _sum(ran: Sequence[Ran], say: Say) -> None:
    priced = [r.usd for r in ran if r.usd is not None]
    price = f"${sum(priced):.2f}" if len(priced) == len(ran) else "an unknown sum"
    refusals = sum(r.status == _FAILED for r in ran)
    lost = sum(r.status not in {_COMPLETED, _FAILED} for r in ran)
    attempts = f"{refusals} attempt{'' if refusals == 1 else 's'}"
    done = f"{sum(r.status == _COMPLETED for r in ran)} units done, {attempts} refused and mended"
    again = f", {lost} interrupted and done again" if lost else ""
    tokens = sum(r.tokens for r in ran)
    paid = f"{tokens:,} tokens, for which {MODEL.partition(':')[2]} would have cost {price}; the script cost nothing."
    say("")
    say(textwrap.fill(f"{done}{again}; {paid}", WIDTH))
