"""What the composition root is made of: each module brings two or more parts together for one purpose."""
