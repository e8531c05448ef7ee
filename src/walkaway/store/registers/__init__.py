"""The registers of a project as rows."""
