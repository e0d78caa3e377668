"""What is compared with what: verification, identification, detection and video."""
