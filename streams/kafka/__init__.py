"""Kafka under the agents: Faust with what it lacks, the one producer, topics read to their end."""
