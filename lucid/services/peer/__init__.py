"""Other nodes, and the two services of this one that talk all the time: connections out, frames, handshakes, queues."""
