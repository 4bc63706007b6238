"""What any service needs, whatever it serves: problem details, the edge, logs, metrics."""
