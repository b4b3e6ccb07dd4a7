"""AWS's control plane: its answers to questions that change nothing."""
