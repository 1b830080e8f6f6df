"""Talking to systems over HTTP: the session, the limits, sign-in by OAuth and its tokens.

Sources and targets share it. ``client`` is the only module of the product that imports httpx.
"""
