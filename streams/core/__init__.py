"""The pure half: events fold into states, states say readings. No clock, no environment, no client."""
