"""Run the hooks of one moment and return what they answered; what is wrong with one is a reason to begin nothing."""

import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass

from walkaway import proc
from walkaway.core.errors import Cancelled, Usage
from walkaway.core.plan.hook import BEFORE, Advice, Hook, Moment, Skip, advice
from walkaway.core.retry import GiveUp
from walkaway.hooks.trust import State, Trust
from walkaway.redact import redact

LIMIT_BYTES = 64 * 1024
_SAID_MOST = 400
_AGAIN = "then run walkaway auto again"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectHooks:
    """The hooks of one project, in the order of its settings; each may take ``timeout_s`` seconds."""

    hooks: tuple[Hook, ...]
    trust: Trust
    timeout_s: float

    def __call__(self, moment: Moment, cancel: threading.Event) -> tuple[Advice, ...] | GiveUp:
        """Ask every hook of this moment in turn; the first that skips the unit is the last that is asked.

        Returns why nothing may go on where one is not trusted, fails, takes too long or answers what cannot be. Before
        a unit those after it have to be trusted, too. Raises `Cancelled` when ``cancel`` is set meanwhile,
        `OSError` where there is no shell.
        """
        concerned = [hook for hook in self.hooks if hook.about(moment.key.kind)]
        mine = [hook for hook in concerned if hook.when == moment.when]
        if why := self._distrust(concerned if moment.when == BEFORE else mine):
            return why
        said: list[Advice] = []
        for hook in mine:
            answer = self._ask(hook, moment, cancel)
            if isinstance(answer, GiveUp):
                return answer
            said += [answer] if answer is not None else []
            if isinstance(answer, Skip):
                break
        return tuple(said)

    def _distrust(self, hooks: Sequence[Hook]) -> GiveUp | None:
        for hook in hooks:
            try:
                state = self.trust.of(hook)
            except Usage as error:
                return GiveUp(reason="hook", text=str(error), remedies=(f"mend it, {_AGAIN}",))
            if state is not State.TRUSTED:
                was = "was changed since you trusted it" if state is State.CHANGED else "was never trusted by you"
                return GiveUp(
                    reason="untrusted-hook",
                    text=f"The hook '{hook.name}' ({hook.run}) {was}; nothing is begun before you have looked at it.",
                    remedies=(f"walkaway trust {hook.name}, {_AGAIN}", f"take it out of hooks.{hook.when}, {_AGAIN}"),
                )
        return None

    def _ask(self, hook: Hook, moment: Moment, cancel: threading.Event) -> Advice | GiveUp | None:
        told = json.dumps({**moment.as_dict(), "hook": hook.name, "project": self.trust.root})
        done = proc.run(
            hook.run,
            self.trust.root,
            timeout_s=self.timeout_s,
            input=told.encode() + b"\n",
            limit_bytes=LIMIT_BYTES,
            cancel=cancel,
            die_with_parent=True,
        )
        if done.cancelled:
            raise Cancelled(f"The hook '{hook.name}' was ended before it could say anything.")
        if done.timed_out:
            return _failed(hook, f"was ended after {self.timeout_s:g} s")
        if done.exit_code != 0:
            said = redact((done.stderr.strip() or done.output.strip())[-_SAID_MOST:])
            return _failed(hook, f"ended with exit code {done.exit_code}" + (f": {said}" if said else ""))
        if not done.output.strip():
            return None
        try:
            return advice(hook, json.loads(done.output))
        except ValueError:
            return _failed(hook, "answered what is no JSON")
        except Usage as error:
            return _failed(hook, f"gave an answer that cannot be taken. {error}")


def _failed(hook: Hook, what: str) -> GiveUp:
    return GiveUp(
        reason="hook",
        text=f"The hook '{hook.name}' {what.rstrip('.')}.",
        remedies=(f"mend what it runs, {_AGAIN}", f"take it out of hooks.{hook.when}, {_AGAIN}"),
    )
