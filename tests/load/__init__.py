"""What is measured under load: run by hand or by make, never by pytest."""
