"""Value types that every floor shares. Knows nothing of files, databases, HTTP or learning."""
