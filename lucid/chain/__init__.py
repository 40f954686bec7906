"""What every node must agree on to the bit: hashes, signatures, trees, blocks and votes."""
