"""杯盘 in both senses: cups and plates on a table, counted and priced; optic cup and disc of an eye, and their ratio."""
