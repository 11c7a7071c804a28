"""How it runs: the command line, local services, the demo."""
