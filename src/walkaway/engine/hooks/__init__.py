"""The user's commands around a unit, in the engine."""
