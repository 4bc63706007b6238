"""Fresh migrated databases in milliseconds: clones made ahead, or the last one reset."""
