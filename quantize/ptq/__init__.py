"""Post-training quantization: recipes, rounding, and reports of what was lost."""
