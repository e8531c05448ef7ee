-- How many tests failed in a check, and how many of them failed on the target before anything was changed.

ALTER TABLE evidence ADD COLUMN failing BIGINT NOT NULL DEFAULT 0;
ALTER TABLE evidence ADD COLUMN known BIGINT NOT NULL DEFAULT 0;
