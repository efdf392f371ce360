"""What is on the shelf."""


def search(database, words):
    """Name and price of every tea with these words in its name."""
    query = f"SELECT name, price FROM teas WHERE name LIKE '%{words}%'"
    return database.execute(query).fetchall()
