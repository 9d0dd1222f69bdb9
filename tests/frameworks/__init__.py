"""Bots of other people's frameworks, as real programs with the real packages.

``make frameworks`` installs each framework into an environment of its own. The tests run here, with
the embedded servers; the bot of ``examples/frameworks`` runs there, from a folder of its own.

``place.py``     the servers, the room, and a program in front of them
``promises.py``  what holds with every framework
"""
