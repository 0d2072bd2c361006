"""The table of topics against a cluster: what differs, what may be changed, what is refused."""
