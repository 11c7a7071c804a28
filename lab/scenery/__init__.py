"""A rendered world of labelled images: places that stay, under conditions that change."""
