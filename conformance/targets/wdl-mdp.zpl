#   The C++ broker and worker of wdl83/mdp (github.com/wdl83/mdp), built into one
#   folder:
#
#       seatrial run --target wdl-mdp --define wdl=FOLDER
#
#   Its client takes bodies of JSON only. Heartbeats are fixed at 3 s.
target
    name = "wdl83/mdp"
    endpoint = "tcp://127.0.0.1:5555"
    speaks = "mdp/0.1"
    heartbeat = 3000
broker
    command = "${wdl}/broker -a ${endpoint}"
worker
    command = "${wdl}/echo_worker -a ${endpoint} -s echo"
