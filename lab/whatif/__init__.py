"""Recent probes answered again, by the live policy, in memory: what a change would do."""
