"""The way to a login node by Fabric and paramiko: connections, logins, keys, host keys, as ssh_config(5) says.

Nothing outside this folder touches a Fabric Connection or paramiko.
"""
