"""Wait until a server answers a Socket.IO handshake."""

import sys
import time
import urllib.request

URL = f"{sys.argv[1]}/socket.io/?EIO=4&transport=polling"

while True:
    try:
        urllib.request.urlopen(URL, timeout=2)
        break
    except OSError as error:
        print(f"{URL}: {error}", flush=True)
        time.sleep(1)
