"""Urumi Stores: a WooCommerce shop of their own on Kubernetes for whoever asks."""

__version__ = "0.1.0"
