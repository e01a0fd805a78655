"""What an installation is deployed with: containers, alerts, dashboard, runbooks."""
