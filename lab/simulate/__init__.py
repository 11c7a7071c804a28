"""The streaming protocol without a broker: the agents of the live system, in one process."""
