"""One folder for each vendor; the kernel (words) and transport (wires) they share; the registry that finds them."""
