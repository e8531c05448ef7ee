"""What stands between a milestone that is done and its target branch."""
