"""The HTTP interface: one router file per resource. Knows how things are asked and answered, never how they are done."""
