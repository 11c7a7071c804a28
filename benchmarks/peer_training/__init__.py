"""The same training time given to the example loop of pytorch-metric-learning.

Its recipe is that of the library's ``examples/notebooks/MetricLossOnly.ipynb`` and is not tuned: a
pretrained trunk, one linear layer to 64 dimensions, batches of 8 identities × 4, random resized
crops and mirroring, Adam with 1e-5 for the trunk and 1e-4 for the layer. Three things differ. The
loss is multi-similarity in the place of the triplet margin, beside the same miner; the trunk is our
backbone with its ImageNet weights, not ResNet-18, so that both start alike; and the best epoch,
that before the first one included, is kept without stopping early.
"""
