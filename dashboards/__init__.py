"""What people look at and who is woken: rules, routing and boards over the names that `streams` exports."""
