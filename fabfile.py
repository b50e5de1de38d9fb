"""submithost's tasks for `fab`; what they are is in the folder `tasks`."""

from tasks import namespace

ns = namespace()
