"""What conditioning gains on identities that no part of it has seen, and whether it is honest."""
