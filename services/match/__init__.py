"""match: every face against the list, exactly; an alert for what reaches the threshold, and nothing else."""
