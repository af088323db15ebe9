"""What an item is about: its tags, how urgent it is, and which story it belongs to."""
