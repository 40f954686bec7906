"""A health check that starts fast: `python3.11 -S -E -s probe.py HOST:PORT`; exit status 0 when /health answers 200."""

import socket
import sys

WAIT_S = 5.0


def main() -> int:
    """Ask once; without http.client, whose import takes longer than everything else together."""
    host, _, port = sys.argv[1].rpartition(":")
    try:
        with socket.create_connection((host, int(port)), WAIT_S) as connection:
            connection.sendall(b"GET /health HTTP/1.0\r\nHost: " + host.encode() + b"\r\n\r\n")
            answer = connection.recv(64)
    except OSError as error:
        print(error)
        return 1
    return 0 if answer.split(b" ")[1:2] == [b"200"] else 1


if __name__ == "__main__":
    sys.exit(main())
