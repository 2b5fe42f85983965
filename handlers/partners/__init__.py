"""Third parties, one file each, with time-outs and a breaker each."""
