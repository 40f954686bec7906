"""Sessions at a node: handed to its engine, found on the chain, shown to whoever asks."""
