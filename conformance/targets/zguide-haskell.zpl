#   The guide's Haskell broker and worker (github.com/booksbyus/zguide, examples/Haskell),
#   built in their own folder with Debian's zeromq4-haskell:
#
#       seatrial run --target zguide-haskell --define zguide=PATH
#
#   Heartbeats are fixed at 2.5 s.
target
    name = "the guide's Haskell broker and worker"
    endpoint = "tcp://127.0.0.1:5555"
    speaks = "mdp/0.1 mmi/0.1"
    heartbeat = 2500
broker
    command = "${zguide}/examples/Haskell/mdbroker False"
worker
    command = "${zguide}/examples/Haskell/mdworker False"
