"""Rules that the code keeps, enforced by reading it."""
