"""Package managers and installers: what surely makes them refuse."""
