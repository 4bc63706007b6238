"""What any service needs, whatever its resources: observation, logs, metrics, the edge."""
