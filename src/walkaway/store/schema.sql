-- The tables as they are: the sum of migrations/ (a test proves it). One dialect for SQLite >= 3.35 and
-- PostgreSQL >= 14. Times are seconds since the UNIX epoch by the store's clock; lists are JSON arrays.
-- What must never be true is a constraint here, so that a bug is an error and not a repair job.

CREATE TABLE schema_version (
    version BIGINT NOT NULL PRIMARY KEY,
    applied_at DOUBLE PRECISION NOT NULL
);

CREATE TABLE projects (
    id TEXT NOT NULL PRIMARY KEY,
    fence_epoch BIGINT NOT NULL DEFAULT 1,
    created_at DOUBLE PRECISION NOT NULL
);

-- Revision, lease and lock of a scope in one row. Never deleted: a fencing token is never used again. clock is the
-- latest time that the row gave out, so that no time in its scope goes back when the host's clock does.
CREATE TABLE milestone_leases (
    project_id TEXT NOT NULL REFERENCES projects (id),
    scope TEXT NOT NULL,
    rev BIGINT NOT NULL DEFAULT 0,
    worker_id TEXT NOT NULL DEFAULT '',
    epoch BIGINT NOT NULL DEFAULT 1,
    fencing_token BIGINT NOT NULL DEFAULT 0,
    status TEXT NOT NULL DEFAULT 'released' CHECK (status IN ('held', 'released')),
    acquired_at DOUBLE PRECISION NOT NULL DEFAULT 0,
    renewed_at DOUBLE PRECISION NOT NULL DEFAULT 0,
    expires_at DOUBLE PRECISION NOT NULL DEFAULT 0,
    clock DOUBLE PRECISION NOT NULL DEFAULT 0,
    PRIMARY KEY (project_id, scope),
    CHECK (status <> 'held' OR worker_id <> '')
);

CREATE TABLE workers (
    project_id TEXT NOT NULL REFERENCES projects (id),
    id TEXT NOT NULL,
    host TEXT NOT NULL,
    boot_id TEXT NOT NULL,
    pid BIGINT NOT NULL,
    started DOUBLE PRECISION NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('active', 'stopping', 'stopped', 'crashed')),
    unit TEXT NOT NULL DEFAULT '',
    registered_at DOUBLE PRECISION NOT NULL,
    beat_at DOUBLE PRECISION NOT NULL,
    since BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (project_id, id)
);

CREATE TABLE milestones (
    project_id TEXT NOT NULL REFERENCES projects (id),
    scope TEXT NOT NULL,
    id TEXT NOT NULL,
    title TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('queued', 'active', 'validated', 'complete')),
    context TEXT NOT NULL,
    vision TEXT NOT NULL,
    criteria TEXT NOT NULL,
    target_branch TEXT NOT NULL,
    target_sha TEXT NOT NULL,
    baseline_sha TEXT NOT NULL,
    head TEXT NOT NULL,
    prepared_base TEXT NOT NULL,
    prepared_sha TEXT NOT NULL,
    stale_count BIGINT NOT NULL,
    commit_sha TEXT NOT NULL,
    verdict TEXT NOT NULL,
    verified BIGINT NOT NULL,
    summary TEXT NOT NULL,
    created_at DOUBLE PRECISION NOT NULL,
    completed_at DOUBLE PRECISION NOT NULL,
    place DOUBLE PRECISION NOT NULL DEFAULT 0 CHECK (place >= 0),
    depends TEXT NOT NULL DEFAULT '[]',
    aside TEXT NOT NULL DEFAULT '' CHECK (aside IN ('', 'parked', 'discarded')),
    aside_why TEXT NOT NULL DEFAULT '',
    conflict_onto TEXT NOT NULL DEFAULT '',
    conflict_files TEXT NOT NULL DEFAULT '[]',
    PRIMARY KEY (project_id, id),
    CHECK (scope = id),
    CHECK (status <> 'complete' OR commit_sha <> '')
);

CREATE TABLE policies (
    project_id TEXT NOT NULL,
    scope TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (project_id, scope)
);

CREATE TABLE slices (
    project_id TEXT NOT NULL,
    scope TEXT NOT NULL,
    id TEXT NOT NULL,
    title TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('pending', 'in_progress', 'complete')),
    goal TEXT NOT NULL,
    demo TEXT NOT NULL,
    risk TEXT NOT NULL CHECK (risk IN ('high', 'medium', 'low')),
    depends TEXT NOT NULL,
    must_haves TEXT NOT NULL,
    summary TEXT NOT NULL,
    completed_at DOUBLE PRECISION NOT NULL,
    sketch BIGINT NOT NULL DEFAULT 0,
    aside TEXT NOT NULL DEFAULT '' CHECK (aside IN ('', 'skipped', 'deferred')),
    aside_why TEXT NOT NULL DEFAULT '',
    blocker TEXT NOT NULL DEFAULT '',
    step TEXT NOT NULL DEFAULT 'null',
    PRIMARY KEY (project_id, id),
    FOREIGN KEY (project_id, scope) REFERENCES milestones (project_id, id)
);

CREATE TABLE tasks (
    project_id TEXT NOT NULL,
    scope TEXT NOT NULL,
    id TEXT NOT NULL,
    title TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('pending', 'complete')),
    description TEXT NOT NULL,
    files TEXT NOT NULL,
    verify TEXT NOT NULL,
    summary TEXT NOT NULL,
    narrative TEXT NOT NULL,
    key_files TEXT NOT NULL,
    verified TEXT NOT NULL CHECK (verified IN ('', 'passed', 'unverified')),
    commit_sha TEXT NOT NULL,
    completed_at DOUBLE PRECISION NOT NULL,
    aside TEXT NOT NULL DEFAULT '' CHECK (aside IN ('', 'skipped', 'replaced')),
    aside_why TEXT NOT NULL DEFAULT '',
    no_code BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (project_id, id),
    FOREIGN KEY (project_id, scope) REFERENCES milestones (project_id, id),
    CHECK (status <> 'complete' OR (commit_sha <> '' AND verified <> ''))
);

CREATE TABLE unit_dispatches (
    project_id TEXT NOT NULL,
    scope TEXT NOT NULL,
    id TEXT NOT NULL,
    seq BIGINT NOT NULL,
    unit TEXT NOT NULL,
    target TEXT NOT NULL,
    attempt BIGINT NOT NULL CHECK (attempt >= 1),
    status TEXT NOT NULL CHECK (status IN
        ('claimed', 'running', 'reported', 'completed', 'failed', 'stuck', 'canceled', 'paused')),
    worker_id TEXT NOT NULL,
    epoch BIGINT NOT NULL,
    fencing_token BIGINT NOT NULL CHECK (fencing_token >= 1),
    base_sha TEXT NOT NULL,
    report TEXT NOT NULL,
    commit_sha TEXT NOT NULL,
    failure TEXT NOT NULL,
    why TEXT NOT NULL,
    output TEXT NOT NULL,
    next_run_at DOUBLE PRECISION NOT NULL,
    claimed_at DOUBLE PRECISION NOT NULL,
    ended_at DOUBLE PRECISION NOT NULL,
    held TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (project_id, id),
    UNIQUE (project_id, scope, seq),
    FOREIGN KEY (project_id, scope) REFERENCES milestones (project_id, id),
    CHECK (status NOT IN ('reported', 'completed') OR (report <> '' AND commit_sha <> '')),
    CHECK (status NOT IN ('failed', 'stuck', 'canceled', 'paused') OR failure <> '')
);

CREATE UNIQUE INDEX one_live_dispatch_per_unit ON unit_dispatches (project_id, unit, target)
    WHERE status IN ('claimed', 'running', 'reported');

CREATE UNIQUE INDEX one_live_dispatch_per_milestone ON unit_dispatches (project_id, scope)
    WHERE status IN ('claimed', 'running', 'reported');

CREATE TABLE questions (
    project_id TEXT NOT NULL,
    scope TEXT NOT NULL,
    id TEXT NOT NULL,
    unit TEXT NOT NULL,
    reason TEXT NOT NULL,
    text TEXT NOT NULL,
    remedies TEXT NOT NULL,
    options TEXT NOT NULL,
    answer TEXT NOT NULL,
    answered_by TEXT NOT NULL,
    after BIGINT NOT NULL,
    asked_at DOUBLE PRECISION NOT NULL,
    answered_at DOUBLE PRECISION NOT NULL,
    gate TEXT NOT NULL DEFAULT '' CHECK (gate = '' OR answer IN ('', 'confirm', 'revise')),
    PRIMARY KEY (project_id, id),
    FOREIGN KEY (project_id, scope) REFERENCES milestones (project_id, id),
    CHECK (remedies <> '[]')
);

-- A gate waits for one answer at a time: two channels cannot answer two askings of it.
CREATE UNIQUE INDEX one_pending_gate ON questions (project_id, scope, gate) WHERE gate <> '' AND answer = '';

CREATE TABLE evidence (
    project_id TEXT NOT NULL,
    scope TEXT NOT NULL,
    id TEXT NOT NULL,
    dispatch_id TEXT NOT NULL,
    phase TEXT NOT NULL CHECK (phase IN ('baseline', 'work', 'integration')),
    tree TEXT NOT NULL,
    command TEXT NOT NULL,
    result TEXT NOT NULL CHECK (result IN ('pass', 'fail', 'timeout', 'cannot-run', 'no-check')),
    exit_code BIGINT,
    duration_ms BIGINT NOT NULL,
    output TEXT NOT NULL,
    at DOUBLE PRECISION NOT NULL,
    failing BIGINT NOT NULL DEFAULT 0,
    known BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (project_id, id),
    FOREIGN KEY (project_id, scope) REFERENCES milestones (project_id, id)
);

CREATE TABLE notes (
    project_id TEXT NOT NULL,
    scope TEXT NOT NULL,
    id TEXT NOT NULL CHECK (id <> ''),
    kind TEXT NOT NULL CHECK (kind <> ''),
    target TEXT NOT NULL,
    verdict TEXT NOT NULL,
    summary TEXT NOT NULL,
    report TEXT NOT NULL CHECK (report <> ''),
    at DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (project_id, id),
    FOREIGN KEY (project_id, scope) REFERENCES milestones (project_id, id)
);

CREATE INDEX notes_of_scope ON notes (project_id, scope);
CREATE INDEX notes_of_kind ON notes (project_id, kind);

-- The journal: the event list of each commit. Its fold equals the tables above.
CREATE TABLE events (
    project_id TEXT NOT NULL REFERENCES projects (id),
    scope TEXT NOT NULL,
    rev BIGINT NOT NULL,
    i BIGINT NOT NULL,
    at DOUBLE PRECISION NOT NULL,
    by_whom TEXT NOT NULL,
    epoch BIGINT NOT NULL,
    fencing_token BIGINT NOT NULL,
    type TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (project_id, scope, rev, i)
);

CREATE TABLE blobs (
    project_id TEXT NOT NULL REFERENCES projects (id),
    hash TEXT NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (project_id, hash)
);

CREATE TABLE usage (
    project_id TEXT NOT NULL REFERENCES projects (id),
    scope TEXT NOT NULL,
    dispatch_id TEXT NOT NULL,
    call BIGINT NOT NULL,
    model TEXT NOT NULL,
    input_tokens BIGINT NOT NULL,
    output_tokens BIGINT NOT NULL,
    cached_tokens BIGINT NOT NULL,
    usd DOUBLE PRECISION,
    at DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (project_id, dispatch_id, call)
);

CREATE INDEX usage_of_scope ON usage (project_id, scope);
CREATE INDEX slices_of_scope ON slices (project_id, scope);
CREATE INDEX tasks_of_scope ON tasks (project_id, scope);
CREATE INDEX questions_of_scope ON questions (project_id, scope);
CREATE INDEX evidence_of_scope ON evidence (project_id, scope);

-- Coordination: who held what, orders to workers, soft state (losing it changes no decision), pauses and stops.
CREATE TABLE lease_history (
    project_id TEXT NOT NULL REFERENCES projects (id),
    scope TEXT NOT NULL,
    epoch BIGINT NOT NULL,
    fencing_token BIGINT NOT NULL,
    worker_id TEXT NOT NULL CHECK (worker_id <> ''),
    acquired_at DOUBLE PRECISION NOT NULL,
    ended_at DOUBLE PRECISION NOT NULL DEFAULT 0,
    ended_how TEXT NOT NULL DEFAULT '' CHECK (ended_how IN ('', 'released', 'taken', 'revoked')),
    PRIMARY KEY (project_id, scope, epoch, fencing_token)
);

CREATE UNIQUE INDEX one_open_lease_per_scope ON lease_history (project_id, scope) WHERE ended_how = '';

CREATE TABLE command_queue (
    project_id TEXT NOT NULL REFERENCES projects (id),
    seq BIGINT NOT NULL,
    name TEXT NOT NULL CHECK (name <> ''),
    body TEXT NOT NULL,
    worker TEXT NOT NULL,
    sent_by TEXT NOT NULL,
    sent_at DOUBLE PRECISION NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('waiting', 'claimed', 'done', 'dead')),
    deliveries BIGINT NOT NULL DEFAULT 0,
    claimed_by TEXT NOT NULL DEFAULT '',
    claimed_at DOUBLE PRECISION NOT NULL DEFAULT 0,
    claim_expires_at DOUBLE PRECISION NOT NULL DEFAULT 0,
    ended_at DOUBLE PRECISION NOT NULL DEFAULT 0,
    result TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (project_id, seq),
    CHECK (status NOT IN ('claimed', 'done') OR claimed_by <> ''),
    CHECK (worker = '' OR claimed_by IN ('', worker))
);

CREATE INDEX open_commands ON command_queue (project_id, seq) WHERE status IN ('waiting', 'claimed');

CREATE TABLE runtime_kv (
    project_id TEXT NOT NULL REFERENCES projects (id),
    scope TEXT NOT NULL CHECK (scope IN ('global', 'worker', 'milestone', 'unit')),
    scope_id TEXT NOT NULL,
    key TEXT NOT NULL CHECK (key <> ''),
    value TEXT NOT NULL,
    version BIGINT NOT NULL CHECK (version >= 1),
    updated_at DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (project_id, scope, scope_id, key),
    CHECK ((scope = 'global') = (scope_id = ''))
);

CREATE TABLE pause_records (
    project_id TEXT NOT NULL REFERENCES projects (id),
    id TEXT NOT NULL,
    step BIGINT NOT NULL CHECK (step IN (0, 1)),
    reason TEXT NOT NULL,
    who TEXT NOT NULL,
    at DOUBLE PRECISION NOT NULL,
    milestone TEXT NOT NULL,
    unit TEXT NOT NULL,
    worktree TEXT NOT NULL,
    custom_run TEXT NOT NULL,
    target TEXT NOT NULL,
    model TEXT NOT NULL,
    thinking TEXT NOT NULL,
    units_left BIGINT,
    usd_left DOUBLE PRECISION,
    seconds_left DOUBLE PRECISION,
    units BIGINT NOT NULL,
    usd DOUBLE PRECISION,
    elapsed_s DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (project_id, id)
);

CREATE TABLE stop_requests (
    project_id TEXT NOT NULL REFERENCES projects (id),
    id TEXT NOT NULL,
    reason TEXT NOT NULL,
    who TEXT NOT NULL,
    at DOUBLE PRECISION NOT NULL,
    rev BIGINT NOT NULL,
    PRIMARY KEY (project_id, id)
);

-- The registers of the project; they belong to no milestone. Numbers are reserved before they are used.
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
