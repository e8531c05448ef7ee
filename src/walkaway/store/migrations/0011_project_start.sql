-- What other milestones settled of the project's start is looked up by its kind, with every state that is read.

CREATE INDEX notes_of_kind ON notes (project_id, kind);
