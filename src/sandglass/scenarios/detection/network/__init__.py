"""The trainable detector: its network, the pretrained weights, and what it is trained with."""
