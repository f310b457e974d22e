"""What every room uses: errors, files, settings, tables, pictures, progress."""
