"""What things cost: `bench` measures the road beside its peers, the scripts beside it one thing each."""
