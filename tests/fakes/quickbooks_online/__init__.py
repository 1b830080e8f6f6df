"""A stateful, strict stand-in for QuickBooks Online (REST v3), after the maker's published specification.

``server.FakeQuickBooks`` serves in a thread, ``control.own_process`` in a process of its own.
"""
