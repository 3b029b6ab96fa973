"""How the node is, asked by an orchestrator at the supervisor's probe port; see ``probes``."""
