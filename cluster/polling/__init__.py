"""The short way of polling: requests are known by their bytes, and answered by one write."""
