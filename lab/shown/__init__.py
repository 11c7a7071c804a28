"""What several reports are drawn and written with."""
