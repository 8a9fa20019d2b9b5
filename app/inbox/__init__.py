"""The transactional inbox: store once, claim by lane, process, set poison aside."""
