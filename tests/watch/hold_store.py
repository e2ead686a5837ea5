"""Holds a store's database for writing: usage: hold_store.py DATABASE HELD RELEASED. HELD is made once it does; it lets go when RELEASED is
there, or after half a minute."""
import os
import sqlite3
import sys
import time

database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("BEGIN IMMEDIATE")
open(sys.argv[2], "wb").close()
deadline = time.monotonic() + 30
while not os.path.exists(sys.argv[3]) and time.monotonic() < deadline:
    time.sleep(0.1)
database.execute("ROLLBACK")
