#   The guide's C++ broker, Titanic and worker (github.com/booksbyus/zguide, examples/C++),
#   built in their own folder:
#
#       seatrial run --target zguide-cpp --define zguide=PATH
#
#   Heartbeats are fixed at 2.5 s. It serves peers with printable addresses only: without
#   named, the first worker ends it, whatever the scenario.
target
    name = "the guide's C++ pair and worker"
    endpoint = "tcp://127.0.0.1:5555"
    speaks = "mdp/0.1 mmi/0.1 tsp/1.0"
    heartbeat = 2500
    named = 1
broker
    command = "${zguide}/examples/C++/mdbroker"
titanic
    command = "${zguide}/examples/C++/titanic"
worker
    command = "${zguide}/examples/C++/mdworker"
