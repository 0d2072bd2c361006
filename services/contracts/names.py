"""How long names may be, and what they are made of: one bound for each kind, from Kubernetes' own limits.

A name that others give (of a pod, a host, a node) is whatever Kubernetes, or a machine, allows: it is bounded
where it comes in, by its giver's own limit, and never again by a smaller one further in.
"""

from __future__ import annotations

# A label (RFC 1123): a deployment, a camera, an organisation; a service of Kubernetes, the value of its labels.
LABEL = 63
# A subdomain (RFC 1123): a pod, a node, a host.
HOST = 253
# What we make of them: the name of a process, and behind it that of its pod or of its place in a fleet.
PROCESS = 2 * HOST + LABEL

LABEL_PATTERN = rf"[a-z0-9][a-z0-9-]{{0,{LABEL - 1}}}"
HOST_PATTERN = rf"[A-Za-z0-9][A-Za-z0-9._-]{{0,{HOST - 1}}}"
PROCESS_PATTERN = rf"[A-Za-z0-9][A-Za-z0-9._-]{{0,{PROCESS - 1}}}"
