"""``nio-identity-server``: the same for people at a terminal, with the extra ``[cli]``.

The settings page that a bot's account does not have. It asks the homeserver by ``GET``, needs no
sync, and does not import nio.
"""
