"""The panels: each shows one pure renderer, gets the cursor by data binding, and keeps nothing."""
