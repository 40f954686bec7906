"""What a block does to the state: rows, state root, rules, building and judging blocks. Pure."""
