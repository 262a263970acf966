"""Systems that neurons plug into: one file each, `features(x)` and `head(f)` in all."""
