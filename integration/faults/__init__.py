"""Bad networks and bad peers."""
