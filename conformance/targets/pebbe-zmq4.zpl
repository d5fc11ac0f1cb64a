#   The Go broker, Titanic and worker of pebbe/zmq4 (github.com/pebbe/zmq4, examples),
#   built into one folder:
#
#       seatrial run --target pebbe-zmq4 --define zmq4=FOLDER
#
#   Heartbeats are fixed at 2.5 s.
target
    name = "the Go pair and worker of pebbe/zmq4"
    endpoint = "tcp://127.0.0.1:5555"
    speaks = "mdp/0.1 mmi/0.1 tsp/1.0"
    heartbeat = 2500
broker
    command = "${zmq4}/mdbroker"
titanic
    command = "${zmq4}/titanic"
worker
    command = "${zmq4}/mdworker"
