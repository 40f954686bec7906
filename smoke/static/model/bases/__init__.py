"""Base images: which are known, and what a stage that is built on one begins with."""
