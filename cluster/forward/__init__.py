"""Any node answers any request: ``forwarder`` is on the asking node, ``listener`` on the answering one."""
