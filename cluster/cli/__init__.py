"""The command line: its options, and the values they become."""
