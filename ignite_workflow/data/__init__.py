"""From files to batches: readers, schemas, prepared arrays, loaders."""
