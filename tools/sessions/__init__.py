"""What the noxfile needs besides its sessions. It runs in nox's environment, with only the standard library."""
