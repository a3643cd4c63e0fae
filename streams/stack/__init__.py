"""The local stack: real Kafka, Prometheus and Alertmanager on one Linux machine, without Docker. It computes no figure."""


class StackError(Exception):
    """The stack cannot start or go on; the message says what is wrong and what to do."""
