#   The Rust broker of rustydomo (github.com/Incognitas/rustydomo), MDP 0.2, whose
#   clients and workers connect to two ports:
#
#       seatrial run --target rustydomo --define rustydomo=PATH
target
    name = "rustydomo"
    endpoint = "tcp://127.0.0.1:5000"
    worker-endpoint = "tcp://127.0.0.1:6000"
    speaks = "mdp/0.2 mmi/0.1"
    heartbeat = 500
broker
    command = "${rustydomo}/target/debug/broker"
