-- Tasks that are planned to change no file.

ALTER TABLE tasks ADD COLUMN no_code BIGINT NOT NULL DEFAULT 0;
