"""Rows of what is over, such as a journey, a ticket, an outage or a shift. They are told by the fold, and sum to its counters."""
