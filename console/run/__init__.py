"""A whole Signpost on this machine: the stack, the services as processes, a deployment for them to serve."""
