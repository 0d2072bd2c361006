"""What services say to each other: ids, events, topics, codec, authority, errors. Pure."""
