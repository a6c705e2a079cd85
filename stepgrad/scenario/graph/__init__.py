"""What stands under `graph`: statements, their expressions, and the names that they define."""
