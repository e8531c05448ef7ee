-- What a milestone is in conflict with, until a unit has resolved it.

ALTER TABLE milestones ADD COLUMN conflict_onto TEXT NOT NULL DEFAULT '';
ALTER TABLE milestones ADD COLUMN conflict_files TEXT NOT NULL DEFAULT '[]';
