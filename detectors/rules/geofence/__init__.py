"""Where ships called and stayed, against the fences under watch: calls, presences, relays, declared destinations."""
