"""Who calls an API, and what they may: keys, and the secrets that an installation keeps."""
