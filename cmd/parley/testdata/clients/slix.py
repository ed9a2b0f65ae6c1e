"""A client of XMPP made of slixmpp that does as it is told.

It reads commands from standard input, one JSON object a line: {"id": 1, "do": "say", "args": ["bob@example.com", "hello"]}, and
writes what it hears to standard output in the same form: an answer has "is": "answer" and the command's id, and what else
came, or "error". Everything else is what the service sent unasked. It ends with its input.

usage: slix.py ADDRESS/RESOURCE HOST:PORT starttls|direct CERTIFICATES; the password is in PARLEY_PASSWORD
"""

import asyncio
import json
import os
import sys

import slixmpp
from slixmpp.exceptions import IqError, IqTimeout
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import MatchXPath

EXTENSIONS = (
    "xep_0012", "xep_0030", "xep_0045", "xep_0049", "xep_0054", "xep_0085", "xep_0092", "xep_0115", "xep_0184", "xep_0191", "xep_0199", "xep_0202", "xep_0203", "xep_0249",
)


def tell(**what):
    print(json.dumps(what), flush=True)


def condition(error):
    if isinstance(error, IqError):
        return error.condition
    if isinstance(error, IqTimeout):
        return "no answer"
    return "%s: %s" % (type(error).__name__, error)


class Puppet(slixmpp.ClientXMPP):
    def __init__(self, address, certificates):
        super().__init__(address, os.environ["PARLEY_PASSWORD"])
        self.auto_authorize, self.auto_subscribe = None, False
        for name in EXTENSIONS:
            self.register_plugin(name)
        self.ca_certs = certificates
        self.ssl_context.check_hostname = True
        self.register_handler(Callback("tell message", MatchXPath("{jabber:client}message"), self.on_message))
        self.register_handler(Callback("tell presence", MatchXPath("{jabber:client}presence"), self.on_presence))
        self.add_event_handler("session_start", self.on_session)
        self.add_event_handler("roster_update", self.on_roster)
        self.add_event_handler("groupchat_invite", self.on_invitation)
        self.add_event_handler("failed_auth", lambda _: tell(**{"is": "refused"}))
        self.add_event_handler("connection_failed", lambda e: tell(**{"is": "unconnected", "why": str(e)}))
        self.add_event_handler("ssl_invalid_chain", lambda e: tell(**{"is": "untrusted", "why": str(e)}))
        self.add_event_handler("disconnected", lambda _: tell(**{"is": "gone"}))

    # What comes unasked.

    def on_session(self, _):
        tell(**{
            "is": "session", "resource": self.boundjid.resource,
            "mechanism": self["feature_mechanisms"].mech.name, "tls": self.socket.version(),
        })

    def on_message(self, m):
        delay = m["delay"]["stamp"] if m.get_plugin("delay", check=True) else None
        tell(**{
            "is": "message", "type": m["type"], "id": m["id"], "from": m["from"].bare, "resource": m["from"].resource, "body": m["body"],
            "state": m["chat_state"] or "", "received": m["receipt"] or "", "delayed": delay is not None,
            "condition": m["error"]["condition"] if m["type"] == "error" else "",
        })

    def on_presence(self, p):
        tell(**{"is": "presence", "type": p["type"], "from": p["from"].bare, "resource": p["from"].resource, "status": p["status"]})

    def on_roster(self, iq):
        for address, item in iq["roster"]["items"].items():
            tell(**{
                "is": "item", "jid": str(address), "name": item["name"], "groups": sorted(item["groups"]),
                "subscription": item["subscription"], "ask": bool(item["ask"]),
            })

    def on_invitation(self, m):
        tell(**{"is": "invitation", "room": m["from"].bare, "from": m["muc"]["invite"]["from"].bare})

    # What it can be told to do. Each gives what its answer has.

    async def do_roster(self):
        iq = self.make_iq_get()
        iq.enable("roster")  # without a version: all of it
        iq = await iq.send()
        return {
            "items": {
                str(address): [item["subscription"], item["name"], ",".join(sorted(item["groups"]))]
                for address, item in iq["roster"]["items"].items()
            }
        }

    async def do_presence(self, show="", status=""):
        await self["xep_0115"].update_caps(broadcast=False)
        self.send_presence(pshow=show or None, pstatus=status or None)

    async def do_subscription(self, kind, to):
        self.send_presence(pto=to, ptype=kind)

    async def do_item(self, address, name, *groups):
        await self.update_roster(address, name=name, groups=list(groups))

    async def do_remove(self, address):
        await self.update_roster(address, subscription="remove")

    async def do_say(self, to, body):
        m = self.make_message(mto=to, mbody=body, mtype="chat")
        m["chat_state"] = "active"
        m["request_receipt"] = True
        m.send()
        return {"message": m["id"]}

    async def do_state(self, to, state):
        m = self.make_message(mto=to, mtype="chat")
        m["chat_state"] = state
        m.send()

    async def do_enter(self, room, nick):
        await self["xep_0045"].join_muc_wait(room, nick, timeout=10)
        return {"occupants": sorted(self["xep_0045"].get_roster(room))}

    async def do_say_all(self, room, body):
        self.send_message(mto=room, mbody=body, mtype="groupchat")

    async def do_leave_room(self, room, nick):
        self["xep_0045"].leave_muc(room, nick)

    async def do_block(self, address):
        await self["xep_0191"].block(address)

    async def do_unblock(self, address):
        await self["xep_0191"].unblock(address)

    async def do_blocked(self):
        iq = await self["xep_0191"].get_blocked()
        return {"items": sorted(str(i) for i in iq["blocklist"]["items"])}

    async def do_info(self, address):
        info = (await self["xep_0030"].get_info(jid=address, cached=False))["disco_info"]
        return {
            "features": sorted(info["features"]),
            "identities": sorted("%s/%s" % (i[0], i[1]) for i in info["identities"]),
        }

    async def do_known(self, address):
        """What a client said of itself in its presence, as the cache of capabilities has it."""
        for _ in range(200):
            info = await self["xep_0115"].get_caps(jid=address)
            if info:
                return {"features": sorted(info["features"])}
            await asyncio.sleep(0.05)  # it asks for them behind our back

    async def do_card(self, name, note):
        card = self["xep_0054"].make_vcard()
        card["FN"], card["NICKNAME"], card["NOTE"] = name, name, note
        await self["xep_0054"].publish_vcard(card)

    async def do_read_card(self, address):
        iq = await self["xep_0054"].get_vcard(address, cached=False)
        return {"name": iq["vcard_temp"]["FN"], "note": iq["vcard_temp"]["NOTE"]}

    async def do_version(self, address):
        iq = await self["xep_0092"].get_version(address)
        return {"name": iq["software_version"]["name"]}

    async def do_ping(self, address):
        await self["xep_0199"].send_ping(address)

    async def do_leave(self):
        await self.disconnect()

    async def obey(self, order):
        try:
            answer = await getattr(self, "do_" + order["do"])(*order.get("args") or [])
        except Exception as e:  # told to who gave the order
            answer = {"error": condition(e)}
        tell(**{"is": "answer", "id": order["id"], **(answer or {})})


async def main(address, at, security, certificates):
    puppet = Puppet(address, certificates)
    host, port = at.rsplit(":", 1)
    puppet.connect((host, int(port)), use_ssl=security == "direct", force_starttls=security == "starttls")
    orders = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    busy = set()
    while line := await orders.readline():
        task = asyncio.create_task(puppet.obey(json.loads(line)))
        busy.add(task)
        task.add_done_callback(busy.discard)
    puppet.abort()


asyncio.get_event_loop_policy().get_event_loop().run_until_complete(main(*sys.argv[1:]))
