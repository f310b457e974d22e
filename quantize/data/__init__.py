"""From a folder of recordings to feature rows: corpora, splits, sound, caches."""
