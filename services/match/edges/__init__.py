"""The outside systems of match, one file each."""
