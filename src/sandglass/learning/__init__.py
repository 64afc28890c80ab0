"""One learning run: deadline, stages, progress, candidates, checkpoints, best so far. Runs in a process of its own."""
