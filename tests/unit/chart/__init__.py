"""What is generated for the chart, without helm."""
