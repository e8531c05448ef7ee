-- What units found out; slices that are sketches, set aside or blocked; tasks that were replaced.

ALTER TABLE slices ADD COLUMN sketch BIGINT NOT NULL DEFAULT 0;
ALTER TABLE slices ADD COLUMN aside TEXT NOT NULL DEFAULT '' CHECK (aside IN ('', 'skipped', 'deferred'));
ALTER TABLE slices ADD COLUMN aside_why TEXT NOT NULL DEFAULT '';
ALTER TABLE slices ADD COLUMN blocker TEXT NOT NULL DEFAULT '';
ALTER TABLE tasks ADD COLUMN aside TEXT NOT NULL DEFAULT '' CHECK (aside IN ('', 'skipped', 'replaced'));
ALTER TABLE tasks ADD COLUMN aside_why TEXT NOT NULL DEFAULT '';

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
