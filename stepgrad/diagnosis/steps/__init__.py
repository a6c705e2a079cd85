"""Questions about steps: do they go downhill, far enough and not too far, and apart?"""
