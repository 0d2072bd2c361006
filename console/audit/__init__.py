"""The audit chain in a file: taken out of Kafka, and verified offline by whoever holds it."""
