"""What containers print when they fail, in a pod whose status the test writes: the sandbox's."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable

from tests.system.server import Server, poll, wait_for_phase

Serve = Callable[..., Server]


def test_a_password_that_a_failing_container_printed_is_told_to_nobody(serve: Serve) -> None:
    server = serve()
    secret = ("get", "secret", "store-credentials", "-n", "store-acme", "-o")
    with server.client() as client:
        client.post("/api/v1/stores", json={"id": "acme", "name": "Acme"}).raise_for_status()
        wait_for_phase(client, "acme", "Ready")
        encoded = server.kubectl(*secret, "jsonpath={.data.database-root-password}")
        password = base64.b64decode(encoded).decode()
        said = {"exitCode": 1, "reason": "Error", "message": f"login {password} failed"}
        failing = {
            "name": "mysql",
            "image": "mysql:8.4",
            "imageID": "",
            "ready": False,
            "restartCount": 4,
            "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}},
            "lastState": {"terminated": said},
        }
        status = json.dumps({"status": {"containerStatuses": [failing]}})
        patch = ("--subresource=status", "--type=merge", "-p", status)
        server.kubectl("patch", "pod", "mysql-0", "-n", "store-acme", *patch)
        failed = "login ••• failed"
        poll(
            lambda: failed in client.get("/api/v1/stores/acme").json()["message"],
            seconds=30,
            what="the failure in the store's message",
        )
        assert failed in client.get("/api/v1/stores/acme/resources").text
        told = [
            client.get(f"/api/v1/stores/acme{path}").text for path in ("", "/resources", "/events")
        ]
    assert all(password not in text for text in told)
    for file in (server.log, *server.data_dir.glob("urumi.db*")):
        assert password.encode() not in file.read_bytes(), f"a password stands in {file.name}"
