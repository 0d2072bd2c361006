"""What every process stands on: I/O and the order of starting and stopping; no words of the domain."""
