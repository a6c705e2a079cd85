"""Where a gradient comes from: what each node received, and the paths to the output."""
