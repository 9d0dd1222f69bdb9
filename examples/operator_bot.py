"""A bot's settings, as commands in a room: operator_bot.py ROOM_ID, then say `!identity`."""

import asyncio
import os
import sys

from nio import AsyncClient, MatrixRoom, RoomGetStateResponse, RoomMessageText

from nio_identity_server import IdentityServerConfig, IdentityServerError, IdentityServerMixin

HELP = """\
!identity status - which identity server this bot's account uses, and why
!identity check URL - look at a server without choosing it
!identity set URL - choose a server; !identity disable - use none; !identity reset - the default
!identity terms - what is still to be accepted; !identity accept - accept what was listed last"""
CREATORS_IN_POWER = 12  # from this room version on


class Bot(IdentityServerMixin, AsyncClient):
    """A nio client that knows its user's identity server."""


async def may_command(bot: Bot, room_id: str, user_id: str) -> bool:
    """Tell whether somebody may change this room's settings, and so this bot's.

    The homeserver is asked each time: nio's own list of levels keeps users who were taken out of
    it, and has no creators of newer rooms, who are above all levels and in no list.
    """
    answer = await bot.room_get_state(room_id)
    if not isinstance(answer, RoomGetStateResponse):
        return False
    state = {each["type"]: each for each in answer.events if each["state_key"] == ""}
    create = state["m.room.create"]
    version = create["content"].get("room_version", "1")
    creators = [create["sender"], *create["content"].get("additional_creators", [])]
    if user_id in creators and version.isdigit() and int(version) >= CREATORS_IN_POWER:
        return True
    levels = state.get("m.room.power_levels", {}).get("content", {})
    level = levels.get("users", {}).get(user_id, levels.get("users_default", 0))
    return int(level) >= int(levels.get("state_default", 50))


class Operator:
    """Obeys whoever has the power, in one room."""

    def __init__(self, bot: Bot, room_id: str) -> None:
        self.bot, self.server, self.room_id = bot, bot.identity_server, room_id
        self.listed: list[str] = []  # nobody accepts what they were not shown

    async def heard(self, room: MatrixRoom, event: RoomMessageText) -> None:
        """Answer a command; nio awaits this inside its sync, so that one is obeyed at a time."""
        command, *arguments = event.body.split() or [""]
        if (room.room_id, command) != (self.room_id, "!identity"):
            return
        if event.sender == self.bot.user_id:
            return
        if await may_command(self.bot, self.room_id, event.sender):
            try:
                answer = await self.obey(arguments)
            except IdentityServerError as error:
                answer = f"That did not work: {error}"
        else:
            answer = "You need the power to change this room's settings."
        content = {"msgtype": "m.notice", "body": answer}
        await self.bot.room_send(self.room_id, "m.room.message", content)

    async def obey(self, words: list[str]) -> str:
        """Do what a command says, and give the answer."""
        answer = "Done."
        match words:
            case ["status"]:
                found = await self.server.refresh()
                answer = str(found.refusal or f"{found.base_url}, from the {found.source.value}.")
            case ["check", url]:
                info = await self.server.check(url)
                terms = ", ".join(policy.name for policy in info.policies) or "no terms"
                answer = f"{info.base_url} is an identity server, with {terms}."
            case ["set", url]:
                await self.server.set(url)
            case ["disable"]:
                await self.server.disable()
            case ["reset"]:
                await self.server.reset()
            case ["terms"]:
                answer = await self.terms()
            case ["accept"]:
                answer = await self.accept()
            case _:
                answer = HELP
        return answer

    async def terms(self) -> str:
        """List what is to be accepted, in English where there is any."""
        texts = [
            each.documents.get("en") or next(iter(each.documents.values()))
            for each in await self.server.pending_terms()
            if each.documents
        ]
        self.listed = [text.url for text in texts]
        lines = [f"{text.name}: {text.url}" for text in texts]
        return "\n".join([*lines, "!identity accept accepts these."] if lines else ["No terms."])

    async def accept(self) -> str:
        """Accept what was listed, once."""
        urls, self.listed = self.listed, []
        if not urls:
            return "Nothing is listed: ask for !identity terms, and read them."
        await self.server.accept_terms(urls)
        return f"Accepted: {', '.join(urls)}"


async def main() -> None:
    """Obey for ever; what was said before the bot came is history, not a command."""
    config = IdentityServerConfig(
        default=os.environ.get("IDENTITY_SERVER"),
        trusted=os.environ.get("TRUSTED", "").split(),  # private servers that may be chosen too
    )
    bot = Bot(os.environ["HOMESERVER"], identity_server_config=config)
    bot.restore_login(os.environ["USER_ID"], "OPERATOR", os.environ["ACCESS_TOKEN"])
    await bot.join(sys.argv[1])
    await bot.sync()
    bot.add_event_callback(Operator(bot, sys.argv[1]).heard, RoomMessageText)
    print("Listening.", flush=True)
    await bot.sync_forever(timeout=30_000)


asyncio.run(main())
