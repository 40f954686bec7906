"""The timers of the machines, by name."""

from __future__ import annotations

VIEW_TIMER = "view"
PROPOSE_TIMER = "propose"
HOLD_TIMER = "hold"
RESEND_TIMER = "resend"
REPAIR_TIMER = "repair"
SYNC_TIMER = "sync"
GAP_TIMER = "gap"
SPREAD_TIMER = "spread"
SUBMIT_TIMER = "submit"
REPLICATE_TIMER = "replicate"
