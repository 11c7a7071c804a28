"""The Faust agents: matcher, review and gallery, and the index that they share."""
