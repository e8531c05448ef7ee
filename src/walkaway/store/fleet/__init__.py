"""What workers and people share besides the milestones: orders, soft state, pauses, who held what."""
