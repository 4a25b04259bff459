"""Use cases about people and tokens.

Invariants: a token's text exists only in the answer that creates it; records hold its SHA-256 (a
random 256-bit secret needs no slow hash), and it is looked up by that, so no comparison of secrets
takes place that could leak its timing.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass, replace
from datetime import timedelta

from orchestrator.model.errors import Forbidden, NotFound, Unauthorized
from orchestrator.model.people import Principal, Token, User
from orchestrator.records import Page, Records
from orchestrator.service.requests import CreateToken, CreateUser
from orchestrator.settings import Settings

TOKEN_PREFIX = "urumi_"
SESSION_LASTS = timedelta(days=7)
CODE_LASTS = timedelta(minutes=10)
LONGEST_TOKEN = 512
_TOKEN_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


def new_token() -> str:
    """Return a new token: 32 random bytes, url-safe, with a prefix that scanners know."""
    return TOKEN_PREFIX + secrets.token_urlsafe(32)


def hash_token(token: str) -> str:
    """Return what records keep of a token: its SHA-256 in hexadecimal."""
    return hashlib.sha256(token.encode()).hexdigest()


@dataclass(frozen=True)
class Account:
    """Who somebody is, and what of their limits they use. ``max_stores`` None is no limit."""

    principal: Principal
    stores: int
    max_stores: int | None
    rate_limit: str | None


class People:
    """Users and tokens; all but `authenticate` and `account` are for admins."""

    def __init__(self, records: Records, settings: Settings) -> None:
        self._records = records
        self._settings = settings

    async def ensure_admin(self, token: str) -> bool:
        """Make sure that ``admin`` exists and this token is theirs; False if it was revoked."""
        return await self._records.people.ensure_admin(hash_token(token))

    async def authenticate(self, token: str) -> Principal:
        """Return whose token it is. Errors: Unauthorized."""
        principal = None
        if 0 < len(token) <= LONGEST_TOKEN:
            principal = await self._records.people.by_token_hash(hash_token(token))
        if principal is None:
            raise Unauthorized("The token is not known: it may have been revoked")
        return replace(principal, token=hash_token(token))

    async def is_in(self, principal: Principal) -> bool:
        """Whether what somebody came with is still good: not expired, revoked or signed out."""
        if principal.session:
            return await self._records.sessions.find(principal.session) is not None
        return await self._records.people.by_token_hash(principal.token) is not None

    async def sign_in(self, token: str) -> tuple[Principal, str]:
        """Open a session for a token; return whose it is and the session's secret.

        Errors: Unauthorized.
        """
        principal, secret = await self.authenticate(token), new_token()
        await self._records.sessions.open(principal, "session", hash_token(secret), SESSION_LASTS)
        return principal, secret

    async def sign_in_by_code(self, code: str) -> tuple[Principal, str]:
        """Open a session for the code of a log-in link, which is used up. Errors: Unauthorized."""
        secret = new_token()
        principal = await self._records.sessions.exchange(
            hash_token(code), hash_token(secret), SESSION_LASTS
        )
        if principal is None:
            raise Unauthorized(
                "This log-in link was used or has expired; `urumi login-link` makes another"
            )
        return principal, secret

    async def by_session(self, *secrets: str) -> Principal:
        """Return whose session it is, of the first that is one. Errors: Unauthorized."""
        for secret in secrets:
            if 0 < len(secret) <= LONGEST_TOKEN:
                found = await self._records.sessions.find(hash_token(secret))
                if found is not None:
                    return replace(found, session=hash_token(secret))
        raise Unauthorized("You are signed out: the session has ended")

    async def sign_out(self, principal: Principal, *secrets: str) -> None:
        """End sessions."""
        hashes = [hash_token(secret) for secret in secrets]
        await self._records.sessions.end(hashes, by=principal)

    async def login_code(self, principal: Principal) -> str:
        """Return a one-time code that opens a session for the caller.

        Errors: Forbidden outside the profile ``local``, where links would travel.
        """
        if not self._settings.local:
            raise Forbidden("Log-in links are for the profile local; sign in with a token")
        code = new_token()
        await self._records.sessions.open(principal, "code", hash_token(code), CODE_LASTS)
        return code

    async def account(self, principal: Principal) -> Account:
        """Return who the caller is, with limits and use."""
        used = await self._records.stores.count_owned(principal.user)
        most = self._settings.max_stores_per_user or None
        return Account(principal, used, most, self._settings.rate_limit)

    async def users(self, principal: Principal, limit: int, cursor: str | None) -> Page[User]:
        """Return a page of users, by name."""
        admins_only(principal)
        return await self._records.people.users(limit=limit, cursor=cursor)

    async def create_user(self, principal: Principal, request: CreateUser) -> User:
        """Create a user. Errors: Conflict."""
        admins_only(principal)
        return await self._records.people.create_user(request.name, request.role, by=principal)

    async def tokens(self, principal: Principal, limit: int, cursor: str | None) -> Page[Token]:
        """Return a page of tokens, without their texts."""
        admins_only(principal)
        return await self._records.people.tokens(limit=limit, cursor=cursor)

    async def create_token(self, principal: Principal, request: CreateToken) -> tuple[Token, str]:
        """Create a token and return it with its text. Errors: NotFound (the user)."""
        admins_only(principal)
        text = new_token()
        token = await self._records.people.create_token(
            request.user, request.name, hash_token(text), by=principal
        )
        return token, text

    async def delete_token(self, principal: Principal, token_id: str) -> None:
        """Revoke a token at once. Errors: NotFound."""
        admins_only(principal)
        if not _TOKEN_ID.fullmatch(token_id):
            raise NotFound("There is no such token")
        await self._records.people.delete_token(token_id, by=principal)


def admins_only(principal: Principal) -> None:
    """Errors: Forbidden, unless an admin calls."""
    if not principal.is_admin:
        raise Forbidden("Only an admin may do this")
