"""MXNet checkpoints, read and run without MXNet."""
