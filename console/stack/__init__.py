"""The local stack: Apache Kafka and two Redis servers from packages, for laptops and tests."""
