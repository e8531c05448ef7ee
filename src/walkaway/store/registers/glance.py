"""The registers in short, for `query`: nothing is imported here that makes facts."""

from walkaway.core.ids import ProjectId
from walkaway.core.registers.model import RECENT_MOST, Decision, Glance
from walkaway.store.codec import columns, from_row
from walkaway.store.driver import Tx

STANDING = "SELECT status, COUNT(*) FROM requirements WHERE project_id = :project GROUP BY status"

RECENT = f"""
FROM decisions WHERE project_id = :project AND superseded_by = '' ORDER BY LENGTH(id) DESC, id DESC LIMIT {RECENT_MOST}
"""


def glance(tx: Tx, project: ProjectId) -> Glance:
    """Return how many requirements there are of each status, and the newest decisions that nothing supersedes."""
    recent = tx.all(f"SELECT {', '.join(columns(Decision))} {RECENT}", project=project)
    return Glance(
        requirements={str(row[0]): int(row[1] or 0) for row in tx.all(STANDING, project=project)},
        decisions=tuple(from_row(Decision, row) for row in recent),
    )
