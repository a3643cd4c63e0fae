"""Events over HTTP: what comes in, who may send it, and the page that an agency answers a reminder on. It keeps nothing."""
