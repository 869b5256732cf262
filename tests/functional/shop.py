"""A shop with one machine and a family with money, made through the HTTP API."""


class Shop:
    def __init__(self, platform, price="350", deposit="10000"):
        make = platform.make
        self.platform = platform
        self.merchant = make("/v1/merchants", {"name": "Corner Vending", "asset": "CNY"})
        self.product = make("/v1/products", {"merchant": self.merchant["id"], "name": "Cola", "name_zh": "可乐", "category": "drinks"})
        self.device = make("/v1/devices", {"kind": "vending", "name": "Lobby", "merchant": self.merchant["id"], "sim": {"imei": "490154203237518"}})
        self.put_slots([{"slot": 1, "product": self.product["id"], "price": price, "asset": "CNY"}])
        self.person = make("/v1/people", {"name": "Ana"})
        self.group = make("/v1/groups", {"kind": "family", "name": "Family", "owner": self.person["id"]})
        self.member = platform.call("GET", f"/v1/groups/{self.group['id']}/members", expect=200)[1]["data"][0]
        self.wallet = make(f"/v1/groups/{self.group['id']}/wallets", {"name": "Household", "asset": "CNY"})
        make(f"/v1/wallets/{self.wallet['id']}/deposits", {"amount": deposit, "asset": "CNY"})

    def put_slots(self, slots):
        self.platform.call("PUT", f"/v1/devices/{self.device['id']}/slots", {"slots": slots}, 200)

    def order(self, quantity=1, slot=1):
        return {"kind": "machine", "payer_wallet": self.wallet["id"], "payer_member": self.member["id"], "device": self.device["id"], "slot": slot, "quantity": quantity}

    def balance(self, wallet=None):
        """(available, held) in minor units."""
        answer = self.platform.call("GET", f"/v1/wallets/{wallet or self.wallet['id']}", expect=200)[1]
        return int(answer["available"]), int(answer["held"])
