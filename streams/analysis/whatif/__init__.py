"""What another number of seats, talk time or nuisance would have changed: the calls that came, through a simulated centre."""
