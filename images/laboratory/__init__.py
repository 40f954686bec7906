"""What stands in for a Docker host, for Google's bases and for a Pi, where there is none: Debian packages unpacked."""
