"""Talks to a running deployment: publishes, follows outcomes, reads topics, asks for changes.

Whatever asks the broker raises ``DependencyDown`` when it does not answer, and ``SetupError`` when
a topic does not exist. What else can go wrong stands with each function.
"""
