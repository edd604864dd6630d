"""A monitoring client: follows all upgrades on the event bus bridge, prints each event as a line of JSON.

usage: monitor.py PORT    Ends after an event with a state that is the last one.
"""
import json
import socket
import struct
import sys
import time

LAST = {"COMPLETE", "ROLLED_BACK", "REFUSED", "FAILED"}
DEADLINE = time.monotonic() + 900


def send(connection, message):
    body = json.dumps(message).encode()
    connection.sendall(struct.pack(">I", len(body)) + body)


def receive(stream):
    header = stream.read(4)
    if len(header) < 4:
        raise ConnectionError("the bridge closed the connection")
    return json.loads(stream.read(struct.unpack(">I", header)[0]))


def listen(port):
    """Registers; a pong says that the registration before the ping was taken."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=900)
    stream = connection.makefile("rb")
    send(connection, {"type": "register", "address": "twinkernel.events"})
    send(connection, {"type": "ping"})
    while receive(stream)["type"] != "pong":
        pass
    return connection, stream


def main():
    while True:
        try:
            connection, stream = listen(int(sys.argv[1]))
            break
        except OSError:
            # The control plane is not up yet.
            if time.monotonic() > DEADLINE:
                raise
            time.sleep(0.1)
    print("listening")
    while True:
        message = receive(stream)
        if message["type"] == "message":
            event = message["body"]
            print(json.dumps(event))
            if event["state"] in LAST:
                break
    connection.close()


main()
