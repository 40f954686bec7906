"""What a Dockerfile's final stage would be: its file system, its user, its environment and what it starts."""
