"""The handwritten part of the backend: rooms, the platform they stand on, partners, and the composition roots."""
