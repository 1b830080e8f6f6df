"""Source systems: one folder each; none imports another, and all import only the domain and the contract."""
