"""Where facts (database) and bytes (objects by content hash) are kept. Knows nothing of what they mean."""
