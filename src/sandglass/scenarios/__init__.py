"""What can be learned. Each scenario is one folder that fulfils the contract of ``base``."""
