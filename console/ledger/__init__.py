"""A deployment's figures, from `counts` and the topics only."""
