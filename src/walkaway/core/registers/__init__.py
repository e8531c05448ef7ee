"""What a project knows beside its plans: decisions, requirements and memories, of all milestones together."""
