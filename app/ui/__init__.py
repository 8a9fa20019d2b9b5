"""What every page of ours shares: amounts and times in words, assets with their hash, tokens and icons."""
