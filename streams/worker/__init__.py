"""What folds for ever: events of Kafka into states, states into `/metrics`. It reads no file of a centre and asks no device."""
