"""What a screen says of an event: titles, notation, narration, and sentences to be spoken."""
