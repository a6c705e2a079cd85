"""The lessons: all of them (`screen`), one after the other (`course`), one of them (`learning`)."""
