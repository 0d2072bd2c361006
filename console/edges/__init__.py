"""One file, one outside system: what the `signpost` command speaks with."""
