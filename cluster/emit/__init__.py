"""Events by HTTP, for programs in any language: ``POST /emit`` on a port of its own; see ``app``."""
