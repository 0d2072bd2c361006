"""Signpost's services and the two packages they share."""
