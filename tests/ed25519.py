"""A verifier of ed25519 signatures from the formulas of RFC 8032, independent of the library that signs."""

from __future__ import annotations

import hashlib

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)

Point = tuple[int, int]
"""A point of the curve -x² + y² = 1 + D x² y²."""


def verifies(public_key: bytes, signature: bytes, message: bytes) -> bool:
    """Whether this key's owner has signed the message: S·B = R + h·A."""
    scalar = int.from_bytes(signature[32:], "little")
    digest = hashlib.sha512(signature[:32] + public_key + message).digest()
    challenge = int.from_bytes(digest, "little") % ORDER
    right = _add(_point(signature[:32]), _times(challenge, _point(public_key)))
    return scalar < ORDER and _times(scalar, BASE) == right


def _add(a: Point, b: Point) -> Point:
    (x1, y1), (x2, y2) = a, b
    product = D * x1 * x2 * y1 * y2 % P
    x = (x1 * y2 + x2 * y1) * pow(1 + product, -1, P)
    y = (y1 * y2 + x1 * x2) * pow(1 - product, -1, P)
    return x % P, y % P


def _times(scalar: int, point: Point) -> Point:
    result = (0, 1)
    while scalar:
        if scalar & 1:
            result = _add(result, point)
        point, scalar = _add(point, point), scalar >> 1
    return result


def _point(encoded: bytes) -> Point:
    """The point of 32 bytes: y, and the last bit of x in the highest bit."""
    number = int.from_bytes(encoded, "little")
    y, odd = number & (2**255 - 1), number >> 255
    return _x_of(y, odd), y


def _x_of(y: int, odd: int) -> int:
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * ROOT_OF_MINUS_ONE % P
    assert x * x % P == square, "no point of the curve"
    return x if x & 1 == odd else P - x


BASE = _point((4 * pow(5, -1, P) % P).to_bytes(32, "little"))
