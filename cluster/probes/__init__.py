"""The supervisor's probe port, at which an orchestrator asks for the state of the node; see ``probes``."""
