"""The rules of session, terms and lookup; those of the choice are in ``machine.py``."""

from __future__ import annotations

from typing import Literal

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from .acts import Acts
from .stage import Stage

ONE_OF_THREE = st.integers(0, 2)
STAGES = st.sampled_from(["arrival", "answer", "body"])


class SessionRules(RuleBasedStateMachine):
    """What is said to identity servers, and what their operators do meanwhile.

    Attributes:
        stage: The servers.
        world: What happens in this run.
    """

    stage: Stage
    world: Acts

    @rule()
    def the_bot_needs_a_token(self) -> None:
        """A call of several requests: terms, registration, and the thing itself."""
        self.world.hash_details()

    @rule(again=st.booleans())
    def the_bot_looks_up(self, again: bool) -> None:
        """One lookup, or two that share a pepper."""
        self.world.lookup()
        if again:
            self.world.lookup()

    @rule(which=ONE_OF_THREE, stage=STAGES, and_rotate=st.booleans())
    def a_lookup_is_slow(
        self, which: int, stage: Literal["arrival", "answer", "body"], and_rotate: bool
    ) -> None:
        """It waits somewhere at its server, which takes another pepper meanwhile, or does not."""
        url = self.stage.urls[which]
        self.world.hold(url, stage)
        self.world.lookup()
        if and_rotate:
            self.world.rotate_pepper(url)

    @rule()
    def the_bot_asks_for_terms(self) -> None:
        """What is pending is asked for."""
        self.world.pending_terms()

    @rule()
    def the_user_accepts_terms(self) -> None:
        """Whatever is pending."""
        self.world.accept_terms()

    @rule(accepting=st.booleans())
    def the_user_changes_their_mind(self, accepting: bool) -> None:
        """From now on the application's answer to terms is yes, or no."""
        self.world.accepting = accepting

    @rule(which=ONE_OF_THREE, some=st.sampled_from([True, True, False]))
    def a_server_has_other_terms(self, which: int, some: bool) -> None:
        """They have to be accepted again, or there are none any more."""
        self.world.change_terms(self.stage.urls[which], some=some)

    @rule(which=ONE_OF_THREE)
    def a_server_forgets_its_tokens(self, which: int) -> None:
        """Every token is answered with 401."""
        self.world.forget_tokens(self.stage.urls[which])

    @rule(which=ONE_OF_THREE)
    def a_server_takes_another_pepper(self, which: int) -> None:
        """What was hashed with the old one is refused."""
        self.world.rotate_pepper(self.stage.urls[which])
