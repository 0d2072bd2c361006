"""`signpost demo`: the sample exercise from camera to decision, on real parts, in about a minute."""
