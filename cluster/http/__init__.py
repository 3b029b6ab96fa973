"""What clients say in HTTP, with bounds; see ``protocol``."""
