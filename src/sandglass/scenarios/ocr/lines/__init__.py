"""Learning to read lines: from pictures of lines and their texts to a recogniser that reads them.

It starts from the base recogniser, grows its characters where the texts have new ones, and keeps what the base could do.
"""
