"""The one place where a channel to a service of ours is made."""

from __future__ import annotations

import grpc


def channel_to(address: str, *, max_bytes: int | None = None) -> grpc.Channel:
    """To `address`, host:port, straight: gRPC would take a proxy of the environment even for loopback.

    `max_bytes` bounds a message in both directions; gRPC's own bound of 4 MB where it is None. Connects at the
    first call; the caller closes it.
    """
    options: list[tuple[str, int]] = [("grpc.enable_http_proxy", 0)]
    if max_bytes is not None:
        options += [("grpc.max_send_message_length", max_bytes), ("grpc.max_receive_message_length", max_bytes)]
    return grpc.insecure_channel(address, options=options)
