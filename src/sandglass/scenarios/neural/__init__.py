"""What scenarios share about networks: sessions that run them."""
