"""Object detection: labelled boxes in, a detector out that says what stands where."""
