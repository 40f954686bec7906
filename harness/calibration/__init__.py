"""How far the simulator is from real nodes: one scenario by both, measured from the journals of both in one way."""
