"""Evaluation of embeddings in an open set: what is measured, how sure it is, and how it is shown.

:class:`infra.evaluate.exam.Exam` takes embeddings and knows nothing of models or images;
:mod:`infra.evaluate.embed` makes the embeddings of a model, :mod:`infra.evaluate.summary` the
report.
"""
