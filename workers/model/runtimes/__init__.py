"""What computes the forward pass: torch, or a runtime that is faster on this machine."""
