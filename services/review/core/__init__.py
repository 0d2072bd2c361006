"""What a case is and which moves it has: values in, values out."""
