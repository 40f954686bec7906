"""A SimPy world that runs networks of the product's machines from a seed, with faults, in virtual time."""
