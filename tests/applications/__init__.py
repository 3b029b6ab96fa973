"""The applications of docs/applications.md."""
