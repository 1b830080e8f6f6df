"""What the tests and the processes that they start call things."""


def reference(place: int) -> str:
    """An external reference for the document at a place."""
    return f"CS-{place:06d}"
