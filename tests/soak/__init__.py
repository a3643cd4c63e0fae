"""Hours of a nation's events, faster than life and with faults in them, and what that does to every process."""
