"""Mirror of the helpdesks' tickets: what vendors told us, rebuildable from them."""
