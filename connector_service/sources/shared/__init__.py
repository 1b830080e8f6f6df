"""What several source systems use: the profile reader, and documents built from flat rows."""
