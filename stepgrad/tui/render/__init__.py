"""Pure renderers: what a panel shows, as a function of what it is given. No app, no widgets."""
