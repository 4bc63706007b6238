"""Faults that the suites must find, and harmless changes that they must let pass, each planted in a copy."""
