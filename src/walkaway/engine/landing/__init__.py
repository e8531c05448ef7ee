"""What stands between work that is reported and its target branch."""
