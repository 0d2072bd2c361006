"""An RTSP server with two live cameras, for Debian's own Python: GStreamer's bindings are there.

`/usr/bin/python3 rtsp_server.py PORT [USER PASSWORD]` serves /camera and /camera-2 and says "ready".
"""

import sys

import gi  # type: ignore[import-not-found]

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import (  # type: ignore[import-not-found]  # noqa: E402 - versions come first
    GLib,
    Gst,
    GstRtsp,
    GstRtspServer,
)

_ENCODER = "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=15 ! rtph264pay name=pay0 pt=96"
_SIZE = "video/x-raw,width=320,height=240,framerate=15/1"
_CAMERA = f"( videotestsrc is-live=true pattern=ball ! {_SIZE} ! {_ENCODER} )"


def main() -> None:
    """Serve until killed."""
    port, login = sys.argv[1], sys.argv[2:]
    Gst.init(None)
    server = GstRtspServer.RTSPServer.new()
    server.set_address("127.0.0.1")
    server.set_service(port)
    if login:
        server.set_auth(_auth(*login))
    # One path a viewer: two who come at the same moment for a shared one wedge this server's media.
    for path in ("/camera", "/camera-2"):
        factory = GstRtspServer.RTSPMediaFactory.new()
        factory.set_launch(_CAMERA)
        factory.set_shared(True)
        if login:
            _restrict(factory)
        server.get_mount_points().add_factory(path, factory)
    server.attach(None)
    print("ready", flush=True)  # noqa: T201 - the test waits for it
    GLib.MainLoop().run()


def _restrict(factory: "GstRtspServer.RTSPMediaFactory") -> None:
    permissions = GstRtspServer.RTSPPermissions.new()
    structure = Gst.Structure.new_empty("viewer")
    for right in ("media.factory.access", "media.factory.construct"):
        structure.set_value(right, True)
    permissions.add_role_from_structure(structure)
    factory.set_permissions(permissions)


def _auth(user: str, password: str) -> "GstRtspServer.RTSPAuth":
    token = GstRtspServer.RTSPToken.new()
    token.set_string("media.factory.role", "viewer")
    auth = GstRtspServer.RTSPAuth.new()
    auth.set_supported_methods(GstRtsp.RTSPAuthMethod.BASIC)
    auth.add_basic(GstRtspServer.RTSPAuth.make_basic(user, password), token)
    return auth


if __name__ == "__main__":
    main()
