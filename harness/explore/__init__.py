"""Exhaustive exploration of small networks of the real machines: every order of deliveries, timers and crashes."""
