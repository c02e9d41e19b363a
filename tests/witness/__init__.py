"""Programs that no one here wrote, run as witnesses."""
