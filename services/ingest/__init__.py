"""Reads cameras and puts sampled, encrypted frames on Kafka."""
