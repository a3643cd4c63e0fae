"""The events of a 112 centre: one file per noun, one class per event type, one example beside each."""
