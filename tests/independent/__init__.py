"""Every figure of the catalogue computed again by its definition: slowly, and without a line of the monitor's core."""
