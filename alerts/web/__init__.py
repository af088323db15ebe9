"""The web process: /healthz and /metrics."""
