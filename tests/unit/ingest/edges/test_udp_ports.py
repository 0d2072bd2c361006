"""UDP beside a camera's connection: from the camera's address alone, and never more at once than fits."""

from __future__ import annotations

import socket

from services.ingest.edges.udp_ports import UdpPorts


def test_who_sends_without_end_is_taken_in_turns() -> None:
    """All that had come was taken before the decoder's turn: a camera's network could fill our memory."""
    with (
        socket.create_server(("127.0.0.1", 0)) as camera,
        socket.create_connection(camera.getsockname()) as link,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
    ):
        ports = UdpPorts(link)
        try:
            taken = ports.take()
            assert taken
            (ready,) = [one for one in ports.sockets if one.getsockname()[1] == taken[0]]
            for number in range(150):
                sender.sendto(b"%d" % number, ("127.0.0.1", taken[0]))
            turns = [[content for _, content in ports.received(ready)] for _ in range(4)]
        finally:
            for one in ports.sockets:
                one.close()
    assert [len(turn) for turn in turns] == [64, 64, 22, 0]
    assert [int(content) for turn in turns for content in turn] == list(range(150))
