"""The plan of a milestone: how its slices and tasks change."""
