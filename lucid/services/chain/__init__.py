"""The chain as a node's services show it and act on it: blocks, schedules, rules, decisions, the key's own votes."""
