"""The pictures of an evaluation. Figures are made without pyplot: no global state, no window."""
