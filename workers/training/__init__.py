"""Training: a folder of labelled images becomes a model folder that the worker loads."""
