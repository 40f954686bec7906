"""The four container images: how they are made, on any machine, and what they are tried with."""
