"""Rows of what is over: a journey, a visit, a ticket, an outage, a shift. They are told by the fold, and sum to its counters."""
