-- Slices that are steps of a workflow which a person wrote.

ALTER TABLE slices ADD COLUMN step TEXT NOT NULL DEFAULT 'null';
