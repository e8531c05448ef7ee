"""Long texts, kept once each under the hash of their content."""

from collections.abc import Iterable, Mapping

from walkaway.core.errors import StoreUnavailable
from walkaway.core.ids import NO_TEXT, ProjectId, TextHash
from walkaway.store.codec import clean
from walkaway.store.driver import Tx

PUT = """
INSERT INTO blobs (project_id, hash, text) VALUES (:project, :hash, :text)
ON CONFLICT (project_id, hash) DO NOTHING
"""

GET = "SELECT text FROM blobs WHERE project_id = :project AND hash = :hash"


def text_hash(text: str) -> TextHash:
    """Return the name under which ``text`` is kept, `clean`; nothing is kept of an empty text."""
    from hashlib import sha256  # noqa: PLC0415 - `query` reads and never hashes: OpenSSL costs it 3 ms

    return TextHash(sha256(clean(text).encode()).hexdigest()) if text else NO_TEXT


def put(tx: Tx, project: ProjectId, texts: Iterable[str]) -> None:
    """Keep texts, `clean`, each once; always in the same order, so that no two writers wait for each other."""
    for name, text in sorted({text_hash(text): clean(text) for text in texts if text}.items()):
        tx.run(PUT, project=project, hash=name, text=text)


def get(tx: Tx, project: ProjectId, hashes: Iterable[TextHash]) -> Mapping[TextHash, str]:
    """Return the texts by hash, that of nothing included; raise `StoreUnavailable` if one is not there."""
    found: dict[TextHash, str] = {NO_TEXT: ""}
    for name in hashes:
        if name not in found:
            row = tx.one(GET, project=project, hash=name)
            if row is None:
                raise StoreUnavailable(f"The text {name[:12]} is missing from the database; restore a backup.")
            found[name] = str(row[0])
    return found
