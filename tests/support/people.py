"""Accounts of a running server, each with a caller of its own."""


def person(server, name, role="developer"):
    """A caller of a new account; its token may do all that the account may."""
    from sandglass.core.actor import Role

    server.post("/users", {"name": name, "role": Role(role)}, status=201)
    browser, _ = sign_in(server, name, first_password(server, name))
    secret = browser.post("/account/tokens", json={"name": "test"}).json()["secret"]
    browser.close()
    return server.client(secret)


def first_password(server, name):
    """A one-time password, as an admin gives it out."""
    return server.post(f"/users/{name}/reset-password")["one_time_password"]


PASSWORD = "four words in line"


def sign_in(server, name, one_time):
    """A browser that has signed in and changed the one-time password."""
    browser = server.client()
    browser.headers["Origin"] = server.address
    signed_in = browser.post("/session", json={"name": name, "password": one_time})
    assert signed_in.status_code == 200, signed_in.text
    if signed_in.json()["must_change_password"]:
        body = {"current": one_time, "password": PASSWORD}
        changed = browser.put("/session/password", json=body)
        assert changed.status_code == 200, changed.text
    return browser, signed_in.json()


def admin_session(server):
    """The cookies of a browser in which the first admin has signed in, as Playwright takes them up."""
    browser, _ = sign_in(server, "admin", first_password(server, "admin"))
    cookies = [
        {"name": cookie.name, "value": cookie.value, "url": server.address, "httpOnly": True}
        for cookie in browser.cookies.jar
    ]
    browser.close()
    assert cookies
    return cookies
