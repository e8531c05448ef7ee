-- Questions that are gates: asked under an id of their own, one asking at a time, fixed words for answers.

ALTER TABLE questions ADD COLUMN gate TEXT NOT NULL DEFAULT '' CHECK (gate = '' OR answer IN ('', 'confirm', 'revise'));

CREATE UNIQUE INDEX one_pending_gate ON questions (project_id, scope, gate) WHERE gate <> '' AND answer = '';
