"""The main job shown on real faces: a film is made, watched, and a gate is answered."""
