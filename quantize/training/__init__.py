"""Training: recipes, crops, objective, teachers, the loop."""
