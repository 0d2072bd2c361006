"""List pictures leave and come by this package alone, each under a line of the sharing register."""
