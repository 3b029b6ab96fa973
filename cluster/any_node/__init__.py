"""Any node answers any request, under servers other than ours: what each process of theirs needs for it."""
