"""One sans-IO state machine a service, and what they share: events, effects, messages. Pure."""
