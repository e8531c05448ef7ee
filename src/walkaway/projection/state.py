"""STATE.md: where the project stands, on one page."""

from collections import Counter

from walkaway.core.derive import Ask, Decision
from walkaway.core.fleet.overview import MilestoneRow, Overview
from walkaway.core.ids import PROJECT_SCOPE, short
from walkaway.core.model import MilestoneStatus, Snapshot
from walkaway.core.registers.model import RECENT_MOST, STATUSES, Registers
from walkaway.core.schedule import eligible
from walkaway.projection.stamp import stamped
from walkaway.projection.text import bullets, document, line
from walkaway.views.phase import Where, where
from walkaway.views.query import next_action


def render_state(
    overview: Overview, s: Snapshot | None, decision: Decision | None, registers: Registers | None = None
) -> dict[str, str]:
    """Return STATE.md; ``s`` and ``decision`` are those of the milestone that was worked on, or None."""
    r = registers or Registers()
    active = s if s and s.milestone.status is not MilestoneStatus.COMPLETE else None
    at = where(overview, active, decision)
    text = document(
        "# State",
        _head(overview, active, at, r),
        "## Milestone Registry\n" + ("\n".join(_registered(row, active) for row in overview.milestones) or "- None"),
        "## Recent Decisions\n" + bullets(_recent(r), empty="- None recorded"),
        "## Blockers\n" + bullets(_blockers(active, decision), empty="- None"),
        "## Next Action\n" + line(_next(overview, active, at, decision)),
    )
    return {"STATE.md": stamped(text, s.milestone.id if s else PROJECT_SCOPE)}


def _head(overview: Overview, active: Snapshot | None, at: Where, r: Registers) -> str:
    done = [row for row in overview.milestones if row.status is MilestoneStatus.COMPLETE]
    if active:
        lines = [f"**Active Milestone:** {active.milestone.id}: {line(active.milestone.title)}"]
    elif done:
        lines = [f"**Last Completed Milestone:** {done[-1].id}: {line(done[-1].title)}"]
    else:
        lines = ["**Active Milestone:** None"]
    if at.slice:
        lines.append(f"**Active Slice:** {short(at.slice.id)}: {line(at.slice.title)}")
    if at.task:
        lines.append(f"**Active Task:** {short(at.task.id)}: {line(at.task.title)}")
    lines.append(f"**Phase:** {at.phase}")
    counts = Counter(q.status for q in r.requirements.values())
    told = " · ".join(f"{counts[status]} {status.replace('-', ' ')}" for status in STATUSES)
    lines.append(f"**Requirements Status:** {told}")
    return "\n".join(lines)


def _recent(r: Registers) -> list[str]:
    return [d.sentence for d in r.current()[-RECENT_MOST:]]


def _registered(row: MilestoneRow, active: Snapshot | None) -> str:
    if row.status is MilestoneStatus.COMPLETE:
        mark = "✅"
    elif row.aside:
        mark = "⏸️" if row.aside == "parked" else "✖"
    else:
        mark = "🔄" if active and row.id == active.milestone.id else "⬜"
    return f"- {mark} **{row.id}:** {line(row.title)}"


def _next(overview: Overview, active: Snapshot | None, at: Where, decision: Decision | None) -> str:
    waiting = list(eligible(overview))
    if active is None and waiting:
        return f"Go on with {waiting[0]}: walkaway auto."
    return next_action(at, decision if active else None)


def _blockers(s: Snapshot | None, decision: Decision | None) -> list[str]:
    waiting = [q.text for q in s.questions.values() if q.open] if s else []
    if isinstance(decision, Ask) and s:
        waiting.append(decision.question.text)
    return waiting
