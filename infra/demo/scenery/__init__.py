"""What the rendered world is drawn with: shapes, places, the weather of a year, a camera."""
