"""The order script asks what a browser would, and says what the shop refused."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.loopback import Quiet, serving

SCRIPT = Path(__file__).parent / "order.sh"
API = "/wp-json/wc/store/v1"
RATES = [{"package_id": 0, "shipping_rates": [{"rate_id": "flat_rate:1", "price": "500"}]}]
PAID = {"payment_status": "success", "redirect_url": "http://shop.test/checkout/received/21/?key=k"}
SHOP: dict[str, tuple[int, Any]] = {
    f"GET {API}/products": (200, [{"id": 7, "name": "Mug", "images": [{"id": 99}]}]),
    f"GET {API}/cart": (200, {"items": []}),
    f"POST {API}/cart/add-item": (201, {"items": [{"id": 7}]}),
    f"POST {API}/cart/update-customer": (200, {"shipping_rates": RATES}),
    f"POST {API}/cart/select-shipping-rate": (200, {}),
    f"POST {API}/checkout": (200, {"order_id": 21, "payment_result": PAID}),
    "GET /checkout/received/21/": (200, "thank you"),
    "GET /shop/": (200, "mugs"),
}


class Asked:
    """What the shop was asked: method and path, the cart's token, the body."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str | None, Any]] = []


@contextmanager
def shop(answers: dict[str, tuple[int, Any]]) -> Iterator[tuple[str, Asked]]:
    """Serve what ``answers`` says on loopback."""
    asked = Asked()

    class Handler(Quiet):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            key = f"{self.command} {self.path.partition('?')[0]}"
            sent = json.loads(body) if body else None
            asked.calls.append((key, self.headers.get("Cart-Token"), sent))
            status, said = answers.get(key, (404, {"message": "no such page"}))
            # PHP escapes the slashes.
            text = said if isinstance(said, str) else json.dumps(said).replace("/", "\\/")
            self.send_response(status)
            self.send_header("Cart-Token", "cart-1")
            kind = "text/html" if isinstance(said, str) else "application/json"
            self.send_header("Content-Type", f"{kind}; charset=UTF-8")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        do_GET = do_POST = answer

    with serving(Handler) as url:
        yield url, asked


def order(*arguments: str) -> subprocess.CompletedProcess[str]:
    if not shutil.which("curl"):
        pytest.skip("curl is not installed: apt-get install curl")
    return subprocess.run(
        ["sh", str(SCRIPT), *arguments], capture_output=True, text=True, timeout=60, check=False
    )


def test_an_order_is_placed_as_a_customer_would() -> None:
    with shop(SHOP) as (url, asked):
        done = order(f"{url}/")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("ok    order 21 was placed in ")
    assert [call for call, _, _ in asked.calls] == list(SHOP)
    assert {token for _, token, _ in asked.calls[2:]} == {"cart-1"}
    bodies = {call: body for call, _, body in asked.calls}
    assert bodies[f"POST {API}/cart/add-item"] == {"id": 7, "quantity": 1}
    assert bodies[f"POST {API}/cart/select-shipping-rate"] == {
        "package_id": 0,
        "rate_id": "flat_rate:1",
    }
    bought = bodies[f"POST {API}/checkout"]
    assert bought["payment_method"] == "cod"
    assert bought["billing_address"]["email"] == "order-smoke@store.invalid"


@pytest.mark.parametrize(
    ("call", "answer", "says"),
    [
        (f"GET {API}/products", (200, []), "no simple product in stock"),
        (f"GET {API}/products", (503, "away"), "answered 503, not 200: away"),
        (f"GET {API}/products", (200, "<title>Parked</title>"), "no shop of WooCommerce: <title>"),
        (f"POST {API}/cart/add-item", (400, {"message": "sold out"}), "sold out"),
        (f"POST {API}/cart/update-customer", (200, {"shipping_rates": []}), "no way to ship"),
        (f"POST {API}/checkout", (500, "oops"), "/checkout answered 500"),
        (
            f"POST {API}/checkout",
            (200, {"order_id": 21, "payment_result": {"payment_status": "failure"}}),
            "checkout said failure",
        ),
        ("GET /checkout/received/21/", (404, "nothing"), "answered 404, not 200"),
        ("GET /shop/", (200, "<div class='woo-coming-soon-page'>"), "coming soon"),
    ],
)
def test_what_the_shop_refuses_is_said(call: str, answer: tuple[int, Any], says: str) -> None:
    with shop({**SHOP, call: answer}) as (url, _):
        done = order(url)
    assert done.returncode == 1
    assert "FAIL" in done.stderr
    assert says in done.stderr
    assert "ok " not in done.stdout


def test_a_shop_that_is_away_or_no_address_is_said() -> None:
    with shop(SHOP) as (url, _):
        pass
    assert order(url).returncode == 1
    for wrong in ((), ("store-acme.localtest.me",)):
        done = order(*wrong)
        assert (done.returncode, done.stdout) == (2, "")
        assert "usage: order.sh BASE_URL" in done.stderr
