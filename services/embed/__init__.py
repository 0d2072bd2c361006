"""Frames in, faces out: detect, track, embed, publish."""
