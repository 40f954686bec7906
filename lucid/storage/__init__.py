"""Where a service keeps what it must not lose: one small interface, SQLite and MongoDB behind it."""
