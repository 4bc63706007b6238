"""What goes over the wire: shapes of requests and answers."""
