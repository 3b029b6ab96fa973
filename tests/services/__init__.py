"""The real servers the tests talk to, each on a free port with a data folder of its own."""
