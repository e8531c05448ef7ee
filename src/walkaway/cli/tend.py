"""`doctor`, `playback`, `demo` and `chaos`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from walkaway import app
from walkaway.cli import exits, options
from walkaway.cli.say import out, out_json
from walkaway.cli.session import Session
from walkaway.core.errors import Usage

if TYPE_CHECKING:
    from walkaway.doctor import Finding, Mended


@click.command(short_help="Look for what is wrong, and say how to mend it.")
@click.option("--fix", is_flag=True, help="Mend what is provably safe to mend, then look again.")
@click.option("--dry-run", is_flag=True, help="With --fix: say what would be done, and change nothing.")
@options.as_json("Print the findings as one JSON object.")
@options.settings
@click.pass_obj
def doctor(session: Session, fix: bool, dry_run: bool, json_: bool) -> int:  # noqa: FBT001 - click's own order
    """Look for what is wrong here and say how to mend it; without --fix nothing is changed.

    Exit 10 where something is an error; with --fix, where something is after all that could be mended was.
    """
    from walkaway import doctor  # noqa: PLC0415 - imports git, which --help does not need

    patient = app.patient(session.overrides)
    try:
        findings = doctor.examine(patient)
        todo = [f for f in findings if f.fixable]
        mended = doctor.mend(patient, todo) if fix and not dry_run else ()
        if mended:
            if not json_:
                _say_mended(mended)
            findings = doctor.examine(patient)
    finally:
        if patient.store is not None:
            patient.store.close()
    wrong = any(f.severity is doctor.Severity.ERROR for f in findings)
    if json_:
        out_json(_report(findings, mended, would=todo if dry_run else (), ok=not wrong))
    else:
        for f in findings:
            _say(f, asked=fix or dry_run)
        if dry_run:
            for f in todo:
                out(f"{'would':<8} {f.code} ({f.scope}): --fix {f.fault.mends}")
    return exits.OF_STATUS["blocked"] if wrong else 0


COLOURS = {"error": "red", "warning": "yellow", "ok": "green", "note": "blue"}


def _say(finding: "Finding", *, asked: bool) -> None:
    """Print a finding: what it is, and below it what to do."""
    mark = click.style(f"{finding.severity:<8}", fg=COLOURS[finding.severity])
    where = f" ({finding.scope})" if finding.severity != "ok" else ""
    out(f"{mark} {finding.code}{where}: {finding.message}")
    if finding.fix:
        offered = " With --fix, walkaway doctor does it." if finding.fixable and not asked else ""
        out(f"{'':<9}{finding.fix}{offered}")


def _say_mended(mended: "Sequence[Mended]") -> None:
    for each in mended:
        mark = click.style(f"{'mended' if each.done else 'not':<8}", fg="green" if each.done else "red")
        out(f"{mark} {each.finding.code} ({each.finding.scope}): {each.done or each.why}")
    out("Looked at again:")


def _report(
    findings: "Sequence[Finding]", mended: "Sequence[Mended]", *, would: "Sequence[Finding]", ok: bool
) -> dict[str, object]:
    """Return the one object for programs: keys are added, never changed. ``check`` and ``text`` are older words."""
    return {
        "v": 1,
        "ok": ok,
        "findings": [
            {
                "code": f.code,
                "severity": str(f.severity),
                "scope": f.scope,
                "message": f.message,
                "fix": f.fix,
                "fixable": f.fixable,
                "check": f.check,
                "text": f.message,
            }
            for f in findings
        ],
        "fixed": [{"code": m.finding.code, "scope": m.finding.scope, "did": m.done} for m in mended if m.done],
        "failed": [{"code": m.finding.code, "scope": m.finding.scope, "why": m.why} for m in mended if not m.done],
        "would_fix": [{"code": f.code, "scope": f.scope, "does": f.fault.mends} for f in would],
    }


@click.command(short_help="Serve a scripted model on loopback, for tests and demos.")
@click.argument("script", type=click.Path(dir_okay=False))
@click.option("--port", type=click.IntRange(0, 65535), default=0, metavar="N", help="The port (0: any that is free).")
@click.option("--log", type=click.Path(dir_okay=False), metavar="FILE", help="Append a line of JSON per request.")
@click.option("--parent", type=int, hidden=True, help="End when this process is no longer the parent.")
def playback(script: str, port: int, log: str | None, parent: int | None) -> None:
    """Serve the lines of SCRIPT as a model would, to OpenAI's and Anthropic's clients, on loopback only.

    Prints the base URL once it answers, and serves until SIGINT or SIGTERM.
    """
    from walkaway.playback import ScriptError, serve  # noqa: PLC0415 - an HTTP server is not for everybody

    try:
        serve(script, port, log, lambda found: out(f"http://127.0.0.1:{found}"), die_with_parent=parent)
    except ScriptError as error:
        raise Usage(str(error)) from error
    except OSError as error:
        raise Usage(f"Playback cannot serve {script} on port {port}: {error.strerror or error}.") from error


@click.command(short_help="Watch a small project being built by a scripted model.")
@click.option("--keep", type=click.Path(file_okay=False), metavar="DIR", help="Work in DIR, and go on there next time.")
@click.option("--full", is_flag=True, help="The longer story: a blocker, a question, a remediation, a conflict.")
def demo(keep: str | None, full: bool) -> int:  # noqa: FBT001 - click gives it by name
    """Build a small command-line tool from its specification, with a model whose replies are a script."""
    from walkaway.demo import FULL, SHORT, run  # noqa: PLC0415 - only the demo pays for it

    return run(keep, out, FULL if full else SHORT)


@click.command(short_help="Break things on purpose, and see that no work is lost.")
@click.option("--seed", type=click.IntRange(min=0), metavar="N", help="Which faults, in which order (default: any).")
@click.option("--minutes", type=click.FloatRange(min=0, min_open=True), metavar="M", help="Break things for so long.")
@click.option("--faults", type=click.IntRange(min=1), metavar="N", help="Stop breaking things after so many faults.")
@click.option("--workers", type=click.IntRange(min=1), default=4, metavar="N", help="So many workers (default: 4).")
@click.option("--milestones", type=click.IntRange(1, 99), metavar="N", help="So much work (default: enough).")
@click.option("--database", default="", metavar="URL", help="An empty PostgreSQL database, instead of SQLite.")
@click.option("--keep", type=click.Path(file_okay=False), metavar="DIR", help="Work in DIR, and keep it.")
@options.as_json("Print the numbers as one JSON object.")
def chaos(
    seed: int | None,
    minutes: float | None,
    faults: int | None,
    workers: int,
    milestones: int | None,
    database: str,
    keep: str | None,
    json_: bool,  # noqa: FBT001 - click hands options in by name
) -> int:
    """Let several workers build a project with a scripted model, and break things all the time.

    Workers are killed, stopped and delayed; people pause, cancel and stop; the database is locked or its connections
    are cut; the model fails, hangs and goes away; others commit to the target; a small disk is filled (as root on
    Linux). After a minute (--minutes) or so many faults (--faults) nothing is broken any more, all work has to become
    complete, and what survived is counted: commits lost, units completed twice, milestones wedged.

    Exit 0 where all of it held, 10 where not: the folder is kept then, and named. A seed says which faults come in
    which order; what they meet depends on the moment.
    """
    import secrets  # noqa: PLC0415 - for this command alone

    from walkaway.chaos.run import Options, run  # noqa: PLC0415

    wanted = Options(
        seed=secrets.randbelow(1_000_000) if seed is None else seed,
        minutes=minutes,
        faults=faults,
        workers=workers,
        milestones=milestones,
        database=database,
        keep=keep,
    )
    report = run(wanted, (lambda _text: None) if json_ else out)
    if json_:
        out_json(report.json())
    else:
        out("")
        for line in report.lines():
            out(line)
    return 0 if report.survived else exits.OF_STATUS["blocked"]
