"""What was judged, on which facts, by which rules: what the why card and the lab read."""
