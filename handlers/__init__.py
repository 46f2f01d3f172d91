"""The handlers that come with the library, one a file: the file name is the name in a config."""
