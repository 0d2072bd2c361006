"""A camera that misbehaves in chosen ways, and how each is told what to do."""
