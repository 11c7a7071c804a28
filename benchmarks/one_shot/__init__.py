"""One-shot classification within a group: which of 20 characters of one alphabet is this?

After Lake, Salakhutdinov & Tenenbaum 2015, *Human-level concept learning through probabilistic
program induction*, Science 350: a run takes characters of one alphabet and two of its drawers; one
drawer's images are the classes, the other's are to be classified.
"""
