"""What the product does, one file per subject. The only floor that starts transactions in the server."""
