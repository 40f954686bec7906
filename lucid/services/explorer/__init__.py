"""What people see of a node and of its chain."""
