"""The demo: a rendered world that `perennial demo` streams."""
