"""What an analyst runs, and what then ends: measure, export, record, replay. Nothing here stays up or pages anybody."""
