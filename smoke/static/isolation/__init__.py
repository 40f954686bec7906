"""Finds traces of the TRON network in a tree: words, hosts, packages and addresses, each judged by where it stands."""
