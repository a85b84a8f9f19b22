"""Jobflow makers and flows of one material and of a campaign, and how they are launched."""
