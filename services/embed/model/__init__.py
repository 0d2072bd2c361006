"""The one door to torch and OpenVINO: networks, their cards, and how they are run."""
