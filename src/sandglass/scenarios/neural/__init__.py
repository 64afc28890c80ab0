"""What scenarios share about networks: averages, schedules, precision, calibration, ONNX writing, running sessions."""
