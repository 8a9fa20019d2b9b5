"""The agents' door: the panel beside the ticket. Built in a later release; nothing is served from here yet."""
