"""Long texts, kept once each under the hash of their content."""

from collections.abc import Iterable, Mapping
from hashlib import sha256

from walkaway.core.errors import StoreUnavailable
from walkaway.core.ids import NO_TEXT, ProjectId, TextHash
from walkaway.store.driver import Tx

PUT = """
INSERT INTO blobs (project_id, hash, text) VALUES (:project, :hash, :text)
ON CONFLICT (project_id, hash) DO NOTHING
"""

GET = "SELECT text FROM blobs WHERE project_id = :project AND hash = :hash"


def text_hash(text: str) -> TextHash:
    """Return the name under which ``text`` is kept; nothing is kept of an empty text."""
    return TextHash(sha256(text.encode("utf-8", "surrogatepass")).hexdigest()) if text else NO_TEXT


def clean(text: str) -> str:
    """Return ``text`` as both databases can hold it: no NUL, no lone surrogate."""
    return text.replace("\x00", "\N{SYMBOL FOR NULL}").encode("utf-8", "replace").decode("utf-8")


def put(tx: Tx, project: ProjectId, texts: Iterable[str]) -> None:
    """Keep texts that are `clean`; one that is kept already stays as it is."""
    for text in texts:
        if text:
            tx.run(PUT, project=project, hash=text_hash(text), text=text)


def get(tx: Tx, project: ProjectId, hashes: Iterable[TextHash]) -> Mapping[TextHash, str]:
    """Return the texts by hash; raise `StoreUnavailable` if one is not there."""
    found: dict[TextHash, str] = {NO_TEXT: ""}
    for name in hashes:
        if name and name not in found:
            row = tx.one(GET, project=project, hash=name)
            if row is None:
                raise StoreUnavailable(f"The text {name[:12]} is missing from the database; restore a backup.")
            found[name] = str(row[0])
    return found
