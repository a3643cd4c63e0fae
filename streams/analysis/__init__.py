"""What an analyst runs, and what then ends: measure, record, replay. Nothing here stays up or pages anybody."""
