"""Everything on this machine: a broker, a Redis, the services, and who restarts them."""
