"""All losses at one small budget: the same data, start, batches and steps, only the loss differs.

A budget this small ranks how fast a loss leads somewhere from a good start, not what it would reach
in the end.
"""
