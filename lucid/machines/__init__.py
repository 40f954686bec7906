"""The machines: a validator's engine, the block manager and session anchoring, each `handle(now, event) -> effects`.

`engine` and `manager` have a room each, with the parts that only they use. What several know stands here: events and
effects, messages, limits, the chain's facts, the vote log and journals.
"""
