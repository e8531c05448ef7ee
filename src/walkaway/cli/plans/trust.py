"""`trust`: which of the user's own commands around units may run."""

from typing import TYPE_CHECKING

import click

from walkaway import app
from walkaway.cli import options
from walkaway.cli.say import out, out_json
from walkaway.cli.session import Session
from walkaway.core.errors import Usage

if TYPE_CHECKING:
    from walkaway.core.plan.hook import Hook
    from walkaway.hooks import ProjectHooks


@click.command(short_help="Show your hooks; say which may run.")
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option("--all", "all_", is_flag=True, help="All of them.")
@click.option("--revoke", is_flag=True, help="Trust them no longer.")
@options.as_json("Print one JSON object.")
@options.settings
@click.pass_obj
def trust(session: Session, names: tuple[str, ...], all_: bool, revoke: bool, json_: bool) -> None:  # noqa: FBT001 - click's own order
    """Show the hooks of this project and whether they are trusted as they are; with NAME, trust those.

    A hook is a command in `hooks.before` or `hooks.after`. It runs once you trust its settings and the files of the
    project that it names, and no longer when one of them changes. Your word is kept in your own configuration folder.
    """
    found = app.hooks(session.overrides)
    known = {hook.name for hook in found.hooks}
    if strange := [name for name in names if name not in known]:
        there = f"There are: {', '.join(sorted(known))}." if known else "hooks.before and hooks.after are empty."
        raise Usage(f"There is no hook '{strange[0]}'. {there}")
    chosen = [hook for hook in found.hooks if all_ or hook.name in names]
    if revoke and not chosen:
        raise Usage("Say whose trust is revoked: a hook's name, or --all.")
    for hook in chosen:
        if revoke:
            found.trust.revoke(hook)
        else:
            found.trust.trust(hook)
    shown = chosen or list(found.hooks)
    if json_:
        out_json({"v": 1, "hooks": [_json(found, hook) for hook in shown]})
        return
    for hook in shown:
        _say(found, hook)
    if not known:
        out("There is no hook: hooks.before and hooks.after are empty.")


def _json(found: "ProjectHooks", hook: "Hook") -> dict[str, object]:
    from walkaway.hooks.trust import digest, files_of  # noqa: PLC0415 - only those who trust look at files

    return {
        "name": hook.name,
        "when": hook.when,
        "units": list(hook.units),
        "run": hook.run,
        "files": list(files_of(hook, found.trust.root)),
        "sha256": digest(hook, found.trust.root),
        "state": found.trust.of(hook),
    }


def _say(found: "ProjectHooks", hook: "Hook") -> None:
    from walkaway.hooks.trust import digest, files_of  # noqa: PLC0415 - as above

    out(f"{hook.name}: {found.trust.of(hook)}")
    out(f"  runs {hook.when} {', '.join(hook.units) or 'every unit'}: {hook.run}")
    if files := files_of(hook, found.trust.root):
        out(f"  files of the project that it names: {', '.join(files)}")
    out(f"  sha256 {digest(hook, found.trust.root)}")
