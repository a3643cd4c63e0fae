"""Kafka as a log: which topics there are, what is written to them and read from them. No fold, no metric, no clock of its own."""
