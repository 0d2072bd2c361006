#!/bin/sh
# Generated from services/contracts/topics.py by `make docs`: do not edit.
# Makes the topics that are not there, with Kafka's own tool; changes none that is. What differs from the table
# is said by `signpost topics check`, and mended by `signpost topics apply`.
# Needs KAFKA_BOOTSTRAP, REPLICATION_FACTOR, MIN_INSYNC_REPLICAS.
set -eu
tool=${KAFKA_TOPICS_TOOL:-/opt/kafka/bin/kafka-topics.sh}

topic() {
    name=$1
    partitions=$2
    shift 2
    "$tool" --bootstrap-server "$KAFKA_BOOTSTRAP" --create --if-not-exists --topic "$name" \
        --partitions "$partitions" --replication-factor "$REPLICATION_FACTOR" \
        --config "min.insync.replicas=$MIN_INSYNC_REPLICAS" "$@"
}

topic frames 8 \
    --config cleanup.policy=delete \
    --config max.message.bytes=2097152 \
    --config retention.ms=120000 \
    --config segment.ms=30000 \
    --config message.timestamp.type=LogAppendTime
topic faces 8 \
    --config cleanup.policy=delete \
    --config max.message.bytes=2097152 \
    --config retention.ms=120000 \
    --config segment.ms=30000 \
    --config message.timestamp.type=LogAppendTime
topic alerts 8 \
    --config cleanup.policy=delete \
    --config max.message.bytes=4194304 \
    --config retention.ms=86400000 \
    --config segment.ms=3600000 \
    --config message.timestamp.type=LogAppendTime
topic decisions 8 \
    --config cleanup.policy=delete \
    --config max.message.bytes=65536 \
    --config retention.ms=220752000000 \
    --config segment.ms=604800000 \
    --config message.timestamp.type=LogAppendTime
topic counts 1 \
    --config cleanup.policy=compact \
    --config max.message.bytes=262144 \
    --config retention.ms=220752000000 \
    --config segment.ms=600000 \
    --config message.timestamp.type=LogAppendTime
topic authority 1 \
    --config cleanup.policy=compact \
    --config max.message.bytes=2097152 \
    --config retention.ms=220752000000 \
    --config segment.ms=600000 \
    --config message.timestamp.type=LogAppendTime
topic audit_requests 8 \
    --config cleanup.policy=delete \
    --config max.message.bytes=65536 \
    --config retention.ms=220752000000 \
    --config segment.ms=604800000 \
    --config message.timestamp.type=LogAppendTime
topic audit 1 \
    --config cleanup.policy=delete \
    --config max.message.bytes=131072 \
    --config retention.ms=220752000000 \
    --config segment.ms=604800000 \
    --config message.timestamp.type=LogAppendTime
topic purges 1 \
    --config cleanup.policy=compact \
    --config max.message.bytes=16384 \
    --config retention.ms=220752000000 \
    --config segment.ms=86400000 \
    --config message.timestamp.type=LogAppendTime
topic frames.dead 1 \
    --config cleanup.policy=delete \
    --config max.message.bytes=16384 \
    --config retention.ms=604800000 \
    --config segment.ms=86400000 \
    --config message.timestamp.type=LogAppendTime
topic faces.dead 1 \
    --config cleanup.policy=delete \
    --config max.message.bytes=16384 \
    --config retention.ms=604800000 \
    --config segment.ms=86400000 \
    --config message.timestamp.type=LogAppendTime
