"""Run the demonstration: set the stage, start the scripted model, let `walkaway auto` work, tell how it went."""

import os
import shutil
import tempfile
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from walkaway import proc
from walkaway.core.errors import CannotRun
from walkaway.demo import told
from walkaway.demo.ink import WIDTH, heading, ink
from walkaway.demo.live import Live, Say, new_lines
from walkaway.demo.plot import SHORT, Plot
from walkaway.demo.report import HOW_WITH_A_MODEL, SCRIPTED, report
from walkaway.demo.stage import Stage, put

TICK_S = 0.05
START_S = 60.0
"""How long playback may take until it answers."""

STOP_S = 10.0
"""How long `walkaway auto` may take to settle when it is told to stop."""

BY_SIGNAL = 128
"""What a shell adds to the number of the signal that ended a process."""

FAILED = 1


def run(keep: str | None, say: Say, plot: Plot = SHORT) -> int:
    """Build the demo's project, or go on with it, and tell how; return the exit code of `walkaway auto`.

    Without ``keep`` it happens in a folder that is removed at the end, unless something went wrong. With it, in that
    folder, where another call goes on after whatever ended this one. Raises `WalkawayError` where it cannot begin.
    """
    if keep is not None:
        return _perform(Stage(Path(keep).resolve(), plot), say)
    root = Path(tempfile.mkdtemp(prefix="walkaway-demo-"))
    code: int | None = None
    try:
        code = _perform(Stage(root.resolve(), plot), say)
    finally:
        if code == 0:
            shutil.rmtree(root)
            say(f"\nThe folder is gone. To keep the next one: {ink(f'{plot.again} --keep DIR', 'bold')}")
        else:
            say(f"\nThe demo did not end well. It is kept; to go on: {plot.again} --keep {root}")
    return code


def _perform(stage: Stage, say: Say) -> int:
    say(ink("walkaway demo: from a written specification to merged, verified work", "bold"))
    say("\n" + textwrap.fill(SCRIPTED, WIDTH))
    stage.set_up()
    stage.walkaway("init")
    progress = _hand_in(stage)
    say(f"\n  specification  {stage.spec}\n  project        {stage.project}")
    if progress == "complete":
        say(heading("It was complete already"))
    else:
        say(heading("walkaway auto" + (", going on where it was" if progress == "begun" else "")))
    with _playing(stage) as url:
        code, result = _work(stage, url, say)
    if code != 0:
        _tell_end(stage, code, result, say)
        return code
    passed = report(stage, say, with_units=progress != "new")
    say("\n" + HOW_WITH_A_MODEL)
    return 0 if passed else FAILED


def _hand_in(stage: Stage) -> str:
    """Have the milestone there, once; return whether it is ``new``, ``begun`` or ``complete``."""
    state = told.members(next(told.objects(stage.walkaway("query")), {}).get("state"))
    known = told.elements(state.get("registry"))
    if not known:
        stage.walkaway("new", "--spec", str(stage.spec))
        return "new"
    return "complete" if all(row.get("status") == "complete" for row in known) else "begun"


@contextmanager
def _playing(stage: Stage) -> Iterator[str]:
    """Serve the script from a process of its own, on a free port; give its base URL."""
    command = ("playback", str(stage.script), "--port", "0", "--log", str(stage.requests), "--parent", str(os.getpid()))
    playback = proc.Background(stage.command(*command), stage.root, stage.playback_log, stage.environment())
    try:
        until = time.monotonic() + START_S
        while "\n" not in (said := playback.output()):
            if playback.wait(TICK_S) is not None or time.monotonic() > until:
                raise CannotRun(f"The scripted model does not answer: {said.strip() or 'it said nothing'}.")
        yield said.splitlines()[0]
    finally:
        playback.kill()


def _work(stage: Stage, url: str, say: Say) -> tuple[int, told.Json]:
    """Let `walkaway auto` work to its end and tell what it does; return its exit code and its last line."""
    stage.auto_log.touch()
    position = stage.auto_log.stat().st_size
    answers = ("--answers", str(stage.answers)) if stage.plot.answers else ()
    command = stage.command("auto", "--json", *answers)
    auto = proc.Background(command, stage.project, stage.auto_log, stage.environment(url))
    live = Live(say, stage.disturb)
    try:
        put(stage.pid, f"{auto.pid}\n")
        code: int | None = None
        while code is None:
            code = auto.wait(TICK_S)
            for line, end in new_lines(stage.auto_log, position):
                position = end
                live.take(line)
    finally:
        auto.kill(STOP_S)
    return (BY_SIGNAL - code if code < 0 else code), live.result


def _tell_end(stage: Stage, code: int, result: told.Json, say: Say) -> None:
    """Say how it ended that did not end well, and how to go on."""
    how = f"was killed by signal {code - BY_SIGNAL}" if code > BY_SIGNAL else f"ended with exit code {code}"
    say("\n" + ink(f"walkaway auto {how}. What was done is kept.", "yellow"))
    for row in told.elements(result.get("blocked")):
        say(textwrap.fill(told.text(row, "detail"), WIDTH, initial_indent="  ", subsequent_indent="  "))
    say(f"To go on: {stage.plot.again} --keep {stage.root}")
