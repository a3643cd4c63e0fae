"""The monitor: events in, metrics out."""
