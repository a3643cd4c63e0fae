"""Events over HTTP: what comes in, who may send it, and the pages that answer a reminder or an alarm. It keeps nothing."""
