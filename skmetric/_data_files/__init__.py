"""Files of images and labels, and where they come from."""
