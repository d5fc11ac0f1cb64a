#   A wreck of conformance/wrecks, which `seatrial prove` gives the name of.
target
    name = "wreck ${wreck}"
    endpoint = "tcp://127.0.0.1:5555"
    speaks = "mdp/0.1 mmi/0.1 tsp/1.0"
    heartbeat = 100
    expiry = 1500
    start = 2000
broker
    command = "${bin}/wreck broker ${wreck} --endpoint ${endpoint} --heartbeat 100 --liveness 5 --expiry 1500"
titanic
    command = "${bin}/wreck titanic ${wreck} --endpoint ${endpoint} --heartbeat 100 --liveness 5 --retry 100 --timeout 10000"
