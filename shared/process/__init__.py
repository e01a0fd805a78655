"""What every process has: settings, logs, metrics, traces, and a way to be stopped."""
