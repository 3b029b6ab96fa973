"""The supervisor: one process that starts workers, watches them, and replaces them; see ``supervisor``."""
