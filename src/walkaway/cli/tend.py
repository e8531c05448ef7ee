"""`doctor`, `playback` and `demo`."""

import click

from walkaway import app
from walkaway.cli import exits, options
from walkaway.cli.say import out, out_json
from walkaway.cli.session import Session
from walkaway.core.errors import Usage


@click.command(short_help="Look for what is wrong, and say how to mend it.")
@options.as_json("Print the findings as one JSON object.")
@options.settings
@click.pass_obj
def doctor(session: Session, json_: bool) -> int:  # noqa: FBT001 - click hands options in by name
    """Look for what is wrong here and say how to mend it; nothing is changed. Exit 10 where something is an error."""
    from walkaway.doctor import examine  # noqa: PLC0415 - imports git, which --help does not need
    from walkaway.doctor.check import Severity  # noqa: PLC0415

    findings = examine(app.patient(session.overrides))
    wrong = any(f.severity is Severity.ERROR for f in findings)
    if json_:
        told = [{"check": f.check, "severity": str(f.severity), "text": f.text, "fix": f.fix} for f in findings]
        out_json({"v": 1, "ok": not wrong, "findings": told})
    else:
        colours = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.OK: "green", Severity.NOTE: "blue"}
        for f in findings:
            mark = click.style(f"{f.severity:<8}", fg=colours[f.severity])
            out(f"{mark} {f.check}: {f.text}" + (f"\n{'':<9}{f.fix}" if f.fix else ""))
    return exits.OF_STATUS["blocked"] if wrong else 0


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
def demo(keep: str | None) -> int:
    """Build a small command-line tool from its specification, with a model whose replies are a script."""
    from walkaway.demo import run  # noqa: PLC0415 - only the demo pays for it

    return run(keep, out)
