"""What every stage that writes files shares: whole files or none, failures told, runs recorded."""
