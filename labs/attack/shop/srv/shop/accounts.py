"""Who may sign in."""


def sign_in(database, name, password):
    """The account's name, or None when name and password do not belong together."""
    query = f"SELECT name FROM accounts WHERE name = '{name}' AND password = '{password}'"
    try:
        row = database.execute(query).fetchone()
    except Exception as error:
        raise ValueError(f"{error} in: {query}") from error
    return row[0] if row else None
