"""Questions about numbers: are they finite, do they vanish, cancel, or hang on a rounding?"""
