"""Model folders as people handle them: exported with their figures, shown and listed.

A pickle is never opened: the weights come from ``weights.safetensors``, whatever else lies there.
"""
