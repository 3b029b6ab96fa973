"""The servers under test: the same few events in each."""
