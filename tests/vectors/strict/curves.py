"""Ed25519, ECDSA on P-256 and SM2 with big integers, after RFC 8032, FIPS 186-5 and GB/T 32918.2: short, slow, not
constant time, for test vectors only. The strict verification rule of docs/crypto.md, written a second time, so that two
independent pieces of code have to agree on every vector.
"""
import hashlib


def sm3(message: bytes) -> bytes:
    """GB/T 32905; not every build of hashlib has it."""
    def rotate(x: int, n: int) -> int:
        n %= 32
        return ((x << n) | (x >> (32 - n))) & 0xFFFFFFFF
    state = [0x7380166F, 0x4914B2B9, 0x172442D7, 0xDA8A0600, 0xA96F30BC, 0x163138AA, 0xE38DEE4D, 0xB0FB0E4E]
    padded = message + b"\x80" + bytes((55 - len(message)) % 64) + (8 * len(message)).to_bytes(8, "big")
    for start in range(0, len(padded), 64):
        w = [int.from_bytes(padded[start + i:start + i + 4], "big") for i in range(0, 64, 4)]
        for j in range(16, 68):
            x = w[j - 16] ^ w[j - 9] ^ rotate(w[j - 3], 15)
            w.append(x ^ rotate(x, 15) ^ rotate(x, 23) ^ rotate(w[j - 13], 7) ^ w[j - 6])
        a, b, c, d, e, f, g, h = state
        for j in range(64):
            early = j < 16
            t = rotate(0x79CC4519 if early else 0x7A879D8A, j)
            ss1 = rotate((rotate(a, 12) + e + t) & 0xFFFFFFFF, 7)
            ff = a ^ b ^ c if early else (a & b) | (a & c) | (b & c)
            gg = e ^ f ^ g if early else (e & f) | (~e & g)
            tt1 = (ff + d + (ss1 ^ rotate(a, 12)) + (w[j] ^ w[j + 4])) & 0xFFFFFFFF
            tt2 = (gg + h + ss1 + w[j]) & 0xFFFFFFFF
            a, b, c, d = tt1, a, rotate(b, 9), c
            e, f, g, h = tt2 ^ rotate(tt2, 9) ^ rotate(tt2, 17), e, rotate(f, 19), g
        state = [x ^ y for x, y in zip(state, (a, b, c, d, e, f, g, h))]
    return b"".join(x.to_bytes(4, "big") for x in state)


class Ed25519:
    """Points are affine (x, y)."""
    p = 2**255 - 19
    order = 2**252 + 27742317777372353535851937790883648493
    d = -121665 * pow(121666, -1, p) % p
    identity = (0, 1)

    def add(self, a, b):
        product = self.d * a[0] * b[0] * a[1] * b[1] % self.p
        x = (a[0] * b[1] + a[1] * b[0]) * pow(1 + product, -1, self.p) % self.p
        y = (a[1] * b[1] + a[0] * b[0]) * pow(1 - product, -1, self.p) % self.p
        return x, y

    def multiply(self, k, point):
        """In projective coordinates (X, Y, Z), with one inversion at the end; the sum is complete (RFC 8032, 5.1.4)."""
        p, d = self.p, self.d

        def add(one, two):
            (x1, y1, z1), (x2, y2, z2) = one, two
            z, x, y = z1 * z2 % p, x1 * x2 % p, y1 * y2 % p
            square, cross = z * z % p, d * x * y % p
            minus, plus = square - cross, square + cross
            return (z * minus * ((x1 + y1) * (x2 + y2) - x - y) % p, z * plus * (y + x) % p, minus * plus % p)
        result, power = (0, 1, 1), (*point, 1)
        while k:
            if k & 1:
                result = add(result, power)
            power = add(power, power)
            k >>= 1
        inverse = pow(result[2], -1, p)
        return result[0] * inverse % p, result[1] * inverse % p

    def x_of(self, y, sign):
        """The x of that parity, or None when y is on no point."""
        square = (y * y - 1) * pow(self.d * y * y + 1, -1, self.p) % self.p
        x = pow(square, (self.p + 3) // 8, self.p)
        if x * x % self.p != square:
            x = x * pow(2, (self.p - 1) // 4, self.p) % self.p
        if x * x % self.p != square or (x == 0 and sign):
            return None
        return x if x & 1 == sign else self.p - x

    def encode(self, point) -> bytes:
        return (point[1] | (point[0] & 1) << 255).to_bytes(32, "little")

    def decode(self, text: bytes):
        """A canonical encoding of a point, or None."""
        number = int.from_bytes(text, "little")
        y, sign = number & (2**255 - 1), number >> 255
        if len(text) != 32 or y >= self.p:
            return None
        x = self.x_of(y, sign)
        return None if x is None else (x, y)

    def __init__(self):
        y = 4 * pow(5, -1, self.p) % self.p
        self.base = self.x_of(y, 0), y

    def small_order(self):
        """The eight points whose order divides 8."""
        y = 2
        while True:
            x = self.x_of(y, 0)
            if x is not None:
                generator = self.multiply(self.order, (x, y))
                points = [self.multiply(i, generator) for i in range(8)]
                if len(set(points)) == 8:
                    return points
            y += 1

    def challenge(self, r: bytes, key: bytes, message: bytes) -> int:
        return int.from_bytes(hashlib.sha512(r + key + message).digest(), "little") % self.order

    def secret(self, seed: bytes):
        digest = hashlib.sha512(seed).digest()
        scalar = int.from_bytes(digest[:32], "little") & (2**254 - 8) | 2**254
        return scalar, digest[32:]

    def public(self, seed: bytes) -> bytes:
        return self.encode(self.multiply(self.secret(seed)[0], self.base))

    def sign(self, seed: bytes, message: bytes) -> bytes:
        scalar, prefix = self.secret(seed)
        nonce = int.from_bytes(hashlib.sha512(prefix + message).digest(), "little") % self.order
        r = self.encode(self.multiply(nonce, self.base))
        s = (nonce + self.challenge(r, self.public(seed), message) * scalar) % self.order
        return r + s.to_bytes(32, "little")

    def key_is_good(self, key: bytes) -> bool:
        """Canonical, on the curve, not the identity, and of the prime order (so neither small nor mixed)."""
        point = self.decode(key)
        return point is not None and point != self.identity and self.multiply(self.order, point) == self.identity

    def verify(self, key: bytes, message: bytes, signature: bytes) -> bool:
        if len(signature) != 64 or not self.key_is_good(key):
            return False
        r, s = signature[:32], int.from_bytes(signature[32:], "little")
        point = self.decode(r)
        if s >= self.order or point is None or self.multiply(8, point) == self.identity:
            return False
        right = self.add(point, self.multiply(self.challenge(r, key, message), self.decode(key)))
        return self.multiply(s, self.base) == right  # without the cofactor


class Weierstrass:
    """y² = x³ + ax + b; None is the point at infinity."""

    def __init__(self, p, a, b, n, gx, gy):
        self.p, self.a, self.b, self.n, self.g = p, a, b, n, (gx, gy)

    def on_curve(self, point) -> bool:
        x, y = point
        return (y * y - x * x * x - self.a * x - self.b) % self.p == 0

    def add(self, a, b):
        if a is None or b is None:
            return b if a is None else a
        if a[0] == b[0]:
            if (a[1] + b[1]) % self.p == 0:
                return None
            slope = (3 * a[0] * a[0] + self.a) * pow(2 * a[1], -1, self.p)
        else:
            slope = (b[1] - a[1]) * pow(b[0] - a[0], -1, self.p)
        x = (slope * slope - a[0] - b[0]) % self.p
        return x, (slope * (a[0] - x) - a[1]) % self.p

    def multiply(self, k, point):
        """From the highest bit down in Jacobian coordinates, where doubling needs no inversion."""
        if point is None or k % self.n == 0:
            return None
        p, (px, py) = self.p, point
        x, y, z = px, py, 1
        for bit in bin(k % self.n)[3:]:
            square, fourth = y * y % p, z * z % p
            s, m = 4 * x * square % p, 3 * (x - fourth) * (x + fourth) % p  # a = p - 3 on both curves
            x, y, z = (m * m - 2 * s) % p, y, 2 * y * z % p
            y = (m * (s - x) - 8 * square * square) % p
            if bit == "1":
                zz = z * z % p
                h, r = (px * zz - x) % p, (py * zz * z - y) % p
                if h == 0:  # a multiple of the point met itself: only for k near the order
                    inverse = pow(z, -1, p)
                    sum_ = self.add((x * inverse**2 % p, y * inverse**3 % p), point)
                    if sum_ is None:
                        raise ArithmeticError("a partial sum is the point at infinity")
                    x, y, z = *sum_, 1
                    continue
                hh = h * h % p
                v = x * hh % p
                x, y, z = (r * r - hh * h - 2 * v) % p, y * hh * h % p, z * h % p
                y = (r * (v - x) - y) % p
        inverse = pow(z, -1, p)
        return x * inverse * inverse % p, y * inverse**3 % p

    def compress(self, point) -> bytes:
        return bytes([2 + (point[1] & 1)]) + point[0].to_bytes(32, "big")

    def uncompressed(self, point) -> bytes:
        return b"\x04" + point[0].to_bytes(32, "big") + point[1].to_bytes(32, "big")

    def decode(self, key: bytes):
        """Compressed or uncompressed; no hybrid form, no infinity, coordinates below p, on the curve."""
        if len(key) == 33 and key[0] in (2, 3):
            x = int.from_bytes(key[1:], "big")
            square = (x * x * x + self.a * x + self.b) % self.p
            y = pow(square, (self.p + 1) // 4, self.p)
            if x >= self.p or y * y % self.p != square:
                return None
            return x, y if y & 1 == key[0] & 1 else self.p - y
        if len(key) == 65 and key[0] == 4:
            point = int.from_bytes(key[1:33], "big"), int.from_bytes(key[33:], "big")
            if max(point) < self.p and self.on_curve(point):
                return point
        return None


class P256(Weierstrass):
    def __init__(self):
        p = 2**256 - 2**224 + 2**192 + 2**96 - 1
        super().__init__(p, p - 3, 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B,
                         0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
                         0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
                         0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5)

    def digest(self, message: bytes) -> int:
        return int.from_bytes(hashlib.sha256(message).digest(), "big")

    def sign(self, scalar: int, message: bytes, nonce: int):
        """(r, s), s as it comes: high or low."""
        r = self.multiply(nonce, self.g)[0] % self.n
        return r, pow(nonce, -1, self.n) * (self.digest(message) + r * scalar) % self.n

    def key_is_good(self, key: bytes) -> bool:
        return self.decode(key) is not None

    def verify(self, key: bytes, message: bytes, signature: bytes) -> bool:
        point = self.decode(key)
        if point is None or len(signature) != 64:
            return False
        r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
        if not 0 < r < self.n or not 0 < s <= self.n // 2:
            return False
        inverse = pow(s, -1, self.n)
        found = self.add(self.multiply(self.digest(message) * inverse % self.n, self.g),
                         self.multiply(r * inverse % self.n, point))
        return found is not None and found[0] % self.n == r


class Sm2(Weierstrass):
    user_id = b"1234567812345678"

    def __init__(self):
        p = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
        super().__init__(p, p - 3, 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93,
                         0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123,
                         0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7,
                         0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0)

    def digest(self, point, message: bytes, user_id: bytes) -> int:
        numbers = (self.a, self.b, *self.g, *point)
        head = (8 * len(user_id)).to_bytes(2, "big") + user_id
        z = sm3(head + b"".join(number.to_bytes(32, "big") for number in numbers))
        return int.from_bytes(sm3(z + message), "big")

    def sign(self, scalar: int, message: bytes, nonce: int, user_id: bytes = user_id):
        e = self.digest(self.multiply(scalar, self.g), message, user_id)
        r = (e + self.multiply(nonce, self.g)[0]) % self.n
        return r, pow(1 + scalar, -1, self.n) * (nonce - r * scalar) % self.n

    def key_is_good(self, key: bytes) -> bool:
        return self.decode(key) is not None

    def verify(self, key: bytes, message: bytes, signature: bytes) -> bool:
        point = self.decode(key)
        if point is None or len(signature) != 64:
            return False
        r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
        t = (r + s) % self.n
        if not 0 < r < self.n or not 0 < s < self.n or t == 0:
            return False
        found = self.add(self.multiply(s, self.g), self.multiply(t, point))
        return found is not None and (self.digest(point, message, self.user_id) + found[0]) % self.n == r


SUITES = {"ed25519": Ed25519(), "p256": P256(), "sm2": Sm2()}
