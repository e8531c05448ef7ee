-- The registers of a project: what was decided, what it has to do, what is worth knowing. They belong to no milestone.

CREATE TABLE register_numbers (
    project_id TEXT NOT NULL REFERENCES projects (id),
    decisions BIGINT NOT NULL DEFAULT 0,
    requirements BIGINT NOT NULL DEFAULT 0,
    memories BIGINT NOT NULL DEFAULT 0,
    facts BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (project_id)
);

CREATE TABLE decisions (
    project_id TEXT NOT NULL REFERENCES projects (id),
    id TEXT NOT NULL CHECK (id <> ''),
    topic TEXT NOT NULL,
    decision TEXT NOT NULL CHECK (decision <> ''),
    choice TEXT NOT NULL CHECK (choice <> ''),
    rationale TEXT NOT NULL,
    revisable TEXT NOT NULL,
    context TEXT NOT NULL,
    made_by TEXT NOT NULL CHECK (made_by IN ('human', 'agent', 'collaborative')),
    supersedes TEXT NOT NULL CHECK (supersedes <> id),
    superseded_by TEXT NOT NULL CHECK (superseded_by <> id),
    at DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (project_id, id)
);

CREATE TABLE requirements (
    project_id TEXT NOT NULL REFERENCES projects (id),
    id TEXT NOT NULL CHECK (id <> ''),
    kind TEXT NOT NULL CHECK (kind <> ''),
    description TEXT NOT NULL CHECK (description <> ''),
    status TEXT NOT NULL CHECK (status IN ('active', 'validated', 'deferred', 'out-of-scope')),
    why TEXT NOT NULL,
    source TEXT NOT NULL,
    owner TEXT NOT NULL,
    supporting TEXT NOT NULL,
    validation TEXT NOT NULL,
    notes TEXT NOT NULL,
    at DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (project_id, id)
);

CREATE TABLE memories (
    project_id TEXT NOT NULL REFERENCES projects (id),
    id TEXT NOT NULL CHECK (id <> ''),
    category TEXT NOT NULL CHECK (category <> ''),
    content TEXT NOT NULL CHECK (content <> ''),
    confidence DOUBLE PRECISION NOT NULL CHECK (confidence > 0 AND confidence < 1),
    source TEXT NOT NULL,
    hits BIGINT NOT NULL CHECK (hits >= 0),
    used_at DOUBLE PRECISION NOT NULL,
    forgotten TEXT NOT NULL,
    at DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (project_id, id)
);

-- What an agent saved while it worked, kept beside its report until that is accepted.
ALTER TABLE unit_dispatches ADD COLUMN held TEXT NOT NULL DEFAULT '';
