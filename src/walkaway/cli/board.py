"""The board as text for a terminal."""

from dataclasses import dataclass

import click

from walkaway.cli.live import one_line
from walkaway.cli.render import asked
from walkaway.cli.say import clock, money, tokens
from walkaway.views.board import AtWork, Board, Lane, Line

MARKS = {"done": ("✓", "green"), "running": ("▸", "cyan"), "open": ("·", "white"), "aside": ("-", "white")}
SILENT_S = 120.0
WIDTH = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What a board does not know: where it is and which model does the work."""

    place: str
    model: str


def draw(board: Board, around: Around) -> str:
    """Return the board, ready to be printed."""
    parts = [
        f"{click.style(around.place, bold=True)}  {board.phase}",
        f"model: {around.model}   {_spent(board)}   shell: not confined",
    ]
    if not board.lanes:
        parts.append("\nThere is no milestone yet.")
    for lane in board.lanes:
        parts.append("")
        parts.extend(draw_lane(lane))
    if board.pauses:
        parts.append(f"\n{click.style('Paused', bold=True, fg='yellow')}")
        parts.extend(f"  {pause.sentence}" for pause in board.pauses)
    if board.questions:
        parts.append(f"\n{click.style('Waiting for you', bold=True, fg='yellow')}")
        for question in board.questions:
            parts.extend(f"  {each}" for each in asked(question))
    if board.workers:
        parts.append(f"\n{click.style('Workers', bold=True)}")
        parts.extend(_worker(worker) for worker in board.workers)
    parts.append(f"\n{click.style('Next', bold=True)}: {board.next}")
    return "\n".join(parts)


def _spent(board: Board) -> str:
    used = board.milestone_spent or board.spent
    limit = "no cap" if board.limit_usd is None else f"of {money(board.limit_usd)}"
    total = f"{tokens(board.spent.input_tokens + board.spent.output_tokens)}, {money(board.spent.usd)} in all"
    return f"spent: {money(used.usd)} {limit}; {total}" if board.milestone_spent else f"spent: {total}"


def draw_lane(lane: Lane) -> list[str]:
    """Return a milestone with its slices and tasks, a line each."""
    row = lane.row
    mark, colour = MARKS[lane.state]
    head = click.style(f"{mark} {row.id}  {one_line(row.title)}", fg=colour, bold=True)
    note = click.style(f"  {lane.note}", dim=True) if lane.note else ""
    scope = [click.style(f"  scope {lane.scope}", dim=True)] if lane.scope else []
    tasks = _bar(row.tasks_done, row.tasks_total)
    return [f"{head}  {tasks}{note}", *scope, *(_line(each) for each in lane.lines)]


def _bar(done: int, total: int) -> str:
    """Return how many tasks are done, of those that are planned so far."""
    if not total:
        return "not planned yet"
    full = round(WIDTH * done / total)
    return f"{'█' * full}{'░' * (WIDTH - full)} {done}/{total} tasks"


def _line(line: Line) -> str:
    mark, colour = MARKS[line.state]
    note = click.style(f"  {one_line(line.note)}", dim=True) if line.note else ""
    return f"{'  ' * line.depth}{click.style(mark, fg=colour)} {line.id}  {one_line(line.title)}{note}"


def _worker(worker: AtWork) -> str:
    silent = f", silent for {clock(worker.silent_s)}" if worker.silent_s > SILENT_S else ""
    doing = worker.unit or "between units"
    told = "did not say goodbye; its work is taken over by the next run" if worker.status == "crashed" else doing
    return f"  {worker.where}: {worker.status}{silent}; {told}"
