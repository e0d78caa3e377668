"""The monitor service: the cameras and gates of one file, for as long as it runs."""
