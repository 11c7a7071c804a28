"""How often the stated interval of a gain holds what other identities show."""
