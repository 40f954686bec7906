"""Image checks: what was really built, looked at and tried in a container engine."""
