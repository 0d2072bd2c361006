"""What embed decides, free of I/O: values in, values out."""
