"""Break things on purpose: many workers on a scripted model while they are killed, stopped, delayed and cut off."""
