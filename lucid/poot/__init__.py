"""PoOT, who may lead: work credits, the verifiable random function behind the beacon, the leader schedule."""
