"""Image classification: one or several labels for a whole picture."""
