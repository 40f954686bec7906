"""`lucid bench`: figures measured in one run, each as a ratio to a peer, a bare baseline or the physical limit."""
