"""What people say about plans that they write themselves."""
