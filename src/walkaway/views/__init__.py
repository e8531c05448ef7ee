"""What people look at, as pure functions of snapshots, so that no two surfaces can disagree."""
