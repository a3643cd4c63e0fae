"""How often each alert would have woken somebody on real recordings, found out by a real Prometheus: `make alarms`."""
