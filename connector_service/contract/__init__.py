"""What a system must be, and what the engine needs of the store. Systems and the engine meet here only."""
