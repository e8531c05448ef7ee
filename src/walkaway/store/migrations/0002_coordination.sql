-- Who held what, orders to workers, soft state, pauses and stops.

ALTER TABLE workers ADD COLUMN since BIGINT NOT NULL DEFAULT 0;

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

INSERT INTO lease_history (project_id, scope, epoch, fencing_token, worker_id, acquired_at)
SELECT project_id, scope, epoch, fencing_token, worker_id, acquired_at FROM milestone_leases WHERE status = 'held';

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
