"""Ingest on real Kafka, real Redis and real sources."""
