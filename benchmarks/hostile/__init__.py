"""What the worst that anybody may publish costs a service, in processor time and memory."""
