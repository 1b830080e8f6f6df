"""What a bookkeeper would recognise: money, parties, documents, reference records, and the words for problems."""
