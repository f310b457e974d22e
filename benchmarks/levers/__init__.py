"""What each lever of a training brings on validation speakers: many trainings side by side."""
