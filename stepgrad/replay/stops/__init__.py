"""Where a replay stops: at a node, or where a condition such as `isnan(grad)` holds."""
