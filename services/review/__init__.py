"""Review: cases, and the people who decide them."""
