"""What a worker and its clients may do at most: see ``limits``; nothing is asked where nothing is limited."""
