"""A running system under faults, and an account of what it lost: ``perennial torture``."""
