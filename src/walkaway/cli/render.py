"""Views as text for a terminal."""

from walkaway.cli.say import clock, money, tokens
from walkaway.core.model import MilestoneStatus, Question
from walkaway.views.result import Result

HEADINGS = {
    "complete": "Complete",
    "unit_done": "One unit done",
    "limit": "As many units done as asked for",
    "blocked": "Blocked: this needs you",
    "cancelled": "Stopped",
    "paused": "Paused",
    "budget": "The budget is spent",
    "stuck": "Stuck: this needs you",
    "waiting": "Waiting for the provider",
    "time_limit": "The time is over",
}


def ending(result: Result) -> str:
    """Return how a run ended, for the person who comes back."""
    lines = [f"{HEADINGS.get(result.status, result.status)}. {result.detail}".strip()]
    for row in result.milestones:
        mark = "✓" if row.status is MilestoneStatus.COMPLETE else "·"
        lines.append(f"  {mark} {row.id} {row.title}: {row.standing}, {row.tasks_done} of {row.tasks_total} tasks")
    t = result.totals
    spent = t.usage.input_tokens + t.usage.output_tokens
    commits = f", integrated as {', '.join(sha[:12] for sha in t.commits)}" if t.commits else ""
    units = f"{t.units} unit{'' if t.units == 1 else 's'}"
    lines.append(f"  {units} in {clock(t.duration_s)}, {tokens(spent)}, {money(t.usage.usd)}{commits}")
    for question in result.questions:
        lines.append("")
        lines.extend(asked(question))
    return "\n".join(lines)


def asked(question: Question) -> list[str]:
    """Return a question with its remedies and how to answer it."""
    lines = [f"{question.id}  {question.unit} ({question.reason})", f"  {question.text}"]
    lines.extend(f"  - {remedy}" for remedy in question.remedies)
    if question.options:
        lines.append(f"  walkaway answer {question.gate or question.id} {'|'.join(question.options)}")
    return lines
