"""The embedded PostgreSQL and Valkey: one supervisor a data folder, over the programs inside two wheels.

For development, tests and the demo; production names its own servers. Linux only (processes are found in /proc).

`ensure(folder)` may be called by everybody, as often as wanted: it finds the servers, or the supervisor, or starts it.
Who is killed comes back: a server by its supervisor, the supervisor by the next `ensure`, which takes the running servers
over. Nothing is believed that a pid file says: a server is known by what it answers and by its command line.

What lies in the data folder: `postgres/` (the database), `run/` (sockets, 0700, no TCP anywhere), logs, the lock. Root
runs the servers as the owner of `postgres/`, or as `nobody`; where that user cannot come to the folder or to the wheels
(a private home), both are kept below /var/lib/deskbridge. A folder with a long or odd path has its sockets in a private
folder of the system's temporary one, and `run` points there.
"""

from app.servers.api import Urls, ensure, status, stop, temporary

__all__ = ["Urls", "ensure", "status", "stop", "temporary"]
