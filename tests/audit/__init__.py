"""What the monitor is made of: a list in CycloneDX with licences, and what is known against it."""
