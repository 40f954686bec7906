"""What a service's process is made of: settings, keys, the machine's driver, disk; how it starts, stops, is found."""
