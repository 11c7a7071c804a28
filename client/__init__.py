"""Talks to a running deployment: publishes, follows outcomes, reads topics, asks for changes."""
