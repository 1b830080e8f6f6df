"""From a source to the books: plan, push, settle. It knows systems and the store only by their contracts."""
