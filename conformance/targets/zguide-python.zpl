#   The guide's Python broker, Titanic and worker (github.com/booksbyus/zguide,
#   examples/Python), with Debian's python3-zmq:
#
#       seatrial run --target zguide-python --define zguide=PATH
#
#   The broker has no expiry of requests. Heartbeats are fixed at 2.5 s.
target
    name = "the guide's Python pair and worker"
    endpoint = "tcp://127.0.0.1:5555"
    speaks = "mdp/0.1 mmi/0.1 tsp/1.0"
    heartbeat = 2500
broker
    command = "/usr/bin/python3 ${zguide}/examples/Python/mdbroker.py"
titanic
    command = "/usr/bin/python3 ${zguide}/examples/Python/titanic.py"
worker
    command = "/usr/bin/python3 ${zguide}/examples/Python/mdworker.py"
