"""Limits of a worker and its clients; see ``limits``. Where no limit is set, no check is made."""
