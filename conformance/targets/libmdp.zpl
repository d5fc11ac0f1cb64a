#   The C broker and worker of libmdp (github.com/zeromq/majordomo, tag wire-protocol-0.2), built
#   into one folder with czmq 3.0:
#
#       seatrial run --target libmdp --define libmdp=FOLDER
#
#   Heartbeats are fixed at 2.5 s.
target
    name = "libmdp 0.2"
    endpoint = "tcp://127.0.0.1:5555"
    speaks = "mdp/0.2 mmi/0.1"
    heartbeat = 2500
broker
    command = "${libmdp}/mdp_broker"
worker
    command = "${libmdp}/test_worker"
