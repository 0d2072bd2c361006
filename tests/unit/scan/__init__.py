"""The scanner that proves absence, on what is there."""
