"""Programs that measure: ratios taken in one run, counts, CPU; one JSON object a line."""
