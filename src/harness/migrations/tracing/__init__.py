"""One revision run on a scratch database and recorded, statement by statement."""
