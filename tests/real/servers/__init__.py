"""A real Synapse and a real Sydent on loopback, for tests and for ``make demo-real``.

::

    from tests.real.servers.stack import RealServers

    async with RealServers(sydent=True) as servers:
        alice = await servers.register_user("alice")
        ...

Both run in an environment of their own, ``.real`` at the top of the checkout, which
``python -m tests.real.servers.install`` makes once.  Only the standard library and aiohttp are
needed on this side, so a demonstration needs none of the development tools.

======================  ===========================================================
``install.py``          the environment ``.real``
``environment.py``      where that is, and whether it is complete
``process.py``          one child process: started, answering, stopped
``child.py``            what that process runs first; it ends when its parent does
``synapse.py``          the homeserver and its configuration
``sydent.py``           the identity server and its configuration
``surroundings.py``     what the two need around them, in a thread of its own:
``mail_sink.py``        where every mail ends up
``sms_gateway.py``      where every text message ends up
``tls_proxy.py``        TLS in front of Sydent, which speaks plain HTTP only
``certificates.py``     a throw-away authority and one certificate for localhost
``stack.py``            all of it as one object
======================  ===========================================================
"""
