"""What dies comes back with everything in it."""

from __future__ import annotations

from base64 import b64decode
from typing import Final

from tests.e2e.shop import Shop

PIXEL: Final = b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def test_a_killed_database_comes_back_with_its_content(shop: Shop) -> None:
    admin = shop.admin()
    post = admin.write("posts", json={"title": "Roggenbrot", "status": "publish"})
    assert shop.down_and_up("database")[0] == "Degraded"
    page = shop.site().get("/", params={"p": str(post["id"])}, follow_redirects=True)
    assert page.status_code == 200 and "Roggenbrot" in page.text
    assert admin.get("/wp-admin/").status_code == 200, "who was logged in still is"


def test_a_killed_web_server_comes_back_with_its_uploads(shop: Shop) -> None:
    kind = {"Content-Type": "image/png", "Content-Disposition": 'attachment; filename="brot.png"'}
    upload = shop.admin().write("media", content=PIXEL, headers=kind)
    before = shop.run("wordpress", "ls", "/usr/src/wordpress/wp-content/themes")
    assert shop.down_and_up("wordpress")[0] == "Degraded"
    image = shop.site().get(upload["source_url"])
    assert image.status_code == 200 and image.content == PIXEL
    assert shop.run("wordpress", "ls", "/usr/src/wordpress/wp-content/themes") == before


def test_uploads_are_data_and_never_programs(shop: Shop) -> None:
    folder = "/usr/src/wordpress/wp-content/uploads"
    for name in ("e2e.txt", "e2e.php"):
        script = f"echo '<?php echo 6 * 7;' >{folder}/{name}"
        shop.run("wordpress", "sh", "-c", script)
    site = shop.site()
    assert site.get("/wp-content/uploads/e2e.txt").status_code == 200
    assert site.get("/wp-content/uploads/e2e.php").status_code == 403
    shop.run("wordpress", "rm", f"{folder}/e2e.txt", f"{folder}/e2e.php")
