"""The one Kafka loop: every service gives it a handler, and none polls, commits or retries on its own."""
