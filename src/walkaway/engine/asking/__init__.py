"""How questions are answered: by an agent's asking, and by what was written down before the run."""
