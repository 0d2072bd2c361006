"""What a search is: values in, values out."""
