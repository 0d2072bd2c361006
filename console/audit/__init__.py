"""`signpost audit verify`: whether an exported audit chain is whole, offline, by whoever holds the file."""
