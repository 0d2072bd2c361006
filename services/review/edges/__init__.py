"""One file an outside system: the durable Redis, people's files, gRPC."""
