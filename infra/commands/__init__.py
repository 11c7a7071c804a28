"""The commands of `perennial`: one small module each, with a `register(app)`."""
