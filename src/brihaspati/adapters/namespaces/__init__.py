"""Labs from Linux namespaces and nothing else: no daemon, no image format, no dependency.

`provider.Namespaces` is the way in. The keeper (`keeper.py`) is a process of its own, so nothing
here may import more than the standard library on its behalf: keep this file empty of imports.
"""
