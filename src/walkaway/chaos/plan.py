"""What the scripted model says for any number of milestones: each writes files of its own, so that all are merged."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Json = Mapping[str, object]
CHECK = """\
unit=$(git log -1 --format=%s | cut -d: -f1); task=${unit#execute-task }
test "$unit" = "$task" || grep -qx "$task" "$(echo "$task" | tr / _ | tr A-Z a-z).txt"
"""
"""The project's own check: the commit of a task has the file that the task is about, and that says what it should."""

USAGE: Json = {"input": 900, "output": 120}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Milestones of the same shape: so many slices of so many tasks; ``delay_s`` is how long each reply takes."""

    milestones: int = 1
    slices: int = 1
    tasks: int = 2
    delay_s: float = 0.0

    def names(self) -> tuple[str, ...]:
        """Return the milestones."""
        return tuple(f"M{n:03}" for n in range(1, self.milestones + 1))

    def units(self, milestone: str) -> tuple[str, ...]:
        """Return the units of a milestone, in the order in which they are done."""
        found = [f"plan-milestone {milestone}"]
        for s in range(1, self.slices + 1):
            slice_ = f"{milestone}/S{s:02}"
            found.append(f"plan-slice {slice_}")
            found += [f"execute-task {slice_}/T{t:02}" for t in range(1, self.tasks + 1)]
            found.append(f"complete-slice {slice_}")
        return (*found, f"validate-milestone {milestone}", f"complete-milestone {milestone}")

    def file_of(self, task: str) -> str:
        """Return the file that a task writes."""
        return task.replace("/", "_").lower() + ".txt"

    def files(self, milestone: str) -> tuple[str, ...]:
        """Return every file that a milestone writes."""
        return tuple(self.contents(milestone))

    def contents(self, milestone: str) -> Mapping[str, str]:
        """Return what a milestone writes, by file."""
        tasks = [unit.partition(" ")[2] for unit in self.units(milestone) if unit.startswith("execute-task")]
        return {self.file_of(task): f"{task}\n" for task in tasks}

    def script(self, before: Mapping[str, Sequence[Json]] | None = None, how: Mapping[str, Json] | None = None) -> Json:
        """Return the script.

        ``before``: replies (errors, hangs) that come before a unit's own, by unit. ``how``: keys (hang, cut) that the
        first of a unit's own replies has besides, by unit.
        """
        early, ways = before or {}, how or {}
        units = [unit for milestone in self.names() for unit in self.units(milestone)]
        return {"units": [{"unit": unit, "say": self._said(unit, early, ways.get(unit, {}))} for unit in units]}

    def _said(self, unit: str, early: Mapping[str, Sequence[Json]], way: Json) -> list[Json]:
        first, *rest = self._say(unit)
        return [*early.get(unit, ()), {**first, **way}, *rest]

    def _say(self, unit: str) -> list[Json]:
        kind, _, target = unit.partition(" ")
        report = self._reply([{"name": "report", "args": self._report(kind, target)}])
        if kind != "execute-task":
            return [report]
        name = self.file_of(target)
        return [
            self._reply([{"name": "write", "args": {"path": name, "content": f"{target}\n"}}]),
            self._reply([{"name": "bash", "args": {"command": f"cat {name}"}}]),
            report,
        ]

    def _reply(self, tools: Sequence[Json]) -> Json:
        reply: dict[str, object] = {"tools": tools, "usage": USAGE}
        if self.delay_s:
            reply["delay"] = self.delay_s
        return reply

    def _report(self, kind: str, target: str) -> Json:
        match kind:
            case "plan-milestone":
                slices = [
                    {"title": f"Slice {n}", "goal": "Its files exist.", "demo": "ls"} for n in range(1, self.slices + 1)
                ]
                return {"title": f"Files of {target}", "vision": "They exist.", "criteria": ["ls"], "slices": slices}
            case "plan-slice":
                tasks = [
                    {
                        "title": f"Write file {n}",
                        "description": "Write it.",
                        "files": [self.file_of(f"{target}/T{n:02}")],
                        "verify": "true",
                    }
                    for n in range(1, self.tasks + 1)
                ]
                return {"goal": "Its files exist.", "must_haves": ["they exist"], "tasks": tasks}
            case "execute-task":
                name = self.file_of(target)
                return {"summary": f"wrote {name}", "narrative": "Wrote the file.", "key_files": [name]}
            case "validate-milestone":
                return {"verdict": "pass", "criteria": ["ls: they are there"], "rationale": "All files exist."}
            case "complete-slice":
                return {"summary": f"The files of {target} exist.", "shown": ["ls shows them"]}
            case _:
                return {"summary": f"The files of {target} exist."}
