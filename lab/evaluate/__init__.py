"""Evaluation of embeddings in an open set: what is measured, how sure it is, and how it is shown.

:class:`lab.evaluate.exam.Exam` takes embeddings and knows nothing of models or images;
:mod:`lab.images.embed` makes the embeddings of a model, :mod:`lab.evaluate.summary` the
report.
"""
