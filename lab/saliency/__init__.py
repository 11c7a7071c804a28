"""Saliency of background variables: which of them matter, and how it looks.

:mod:`lab.saliency.run` takes a manifest and a model and looks at every variable;
:mod:`lab.saliency.page_data` writes what was found as JSON and as one page that needs no network.
"""
