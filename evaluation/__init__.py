"""Offline measuring: accuracy and thresholds, over the same code that searches."""
