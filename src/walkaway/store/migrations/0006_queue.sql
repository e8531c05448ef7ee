-- Milestones in an order of a person's, one after the other, parked and discarded.

ALTER TABLE milestones ADD COLUMN place DOUBLE PRECISION NOT NULL DEFAULT 0 CHECK (place >= 0);
ALTER TABLE milestones ADD COLUMN depends TEXT NOT NULL DEFAULT '[]';
ALTER TABLE milestones ADD COLUMN aside TEXT NOT NULL DEFAULT '' CHECK (aside IN ('', 'parked', 'discarded'));
ALTER TABLE milestones ADD COLUMN aside_why TEXT NOT NULL DEFAULT '';
