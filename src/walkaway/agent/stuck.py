"""When the same call comes again and again: say so once, then give up."""

from walkaway.core.errors import AgentStuck

WARN_AT = 4
STOP_AT = 8


class StuckGuard:
    """Counts how often one call was repeated without another between."""

    def __init__(self) -> None:
        """Start without a call."""
        self._last = ""
        self._times = 0

    def seen(self, name: str, arguments: str) -> str:
        """Note a call; return "" or a warning for the model, and raise `AgentStuck` at the eighth in a row."""
        key = f"{name} {arguments}"
        self._times = self._times + 1 if key == self._last else 1
        self._last = key
        if self._times >= STOP_AT:
            message = f"The agent made the same call {self._times} times in a row: {key[:200]}"
            raise AgentStuck(message)
        if self._times == WARN_AT:
            return f"You made this same call {WARN_AT} times in a row. It will not change: do something else."
        return ""
