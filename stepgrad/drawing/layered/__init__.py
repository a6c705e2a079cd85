"""The four steps of a layered drawing, one module each: vertices, ordering, rows, tracks.

This is the method of Sugiyama, Tagawa and Toda (1981), turned on its side for the terminal: layers
are columns, and every coordinate is a whole cell. `layout.lay_out` runs the steps in order; nothing
else needs this package.
"""
