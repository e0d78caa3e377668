"""The gRPC server for gates and enrolment desks."""
