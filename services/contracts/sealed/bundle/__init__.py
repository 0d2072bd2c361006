"""The one file a list travels in: parts named for what they hold, each sealed, under a signed header."""
