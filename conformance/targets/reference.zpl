#   The reference pair of this project, with short times.
target
    name = "the reference pair"
    endpoint = "tcp://127.0.0.1:5555"
    speaks = "mdp/0.1 mmi/0.1 tsp/1.0"
    heartbeat = 100
    expiry = 1500
broker
    command = "${bin}/mdpbroker --endpoint ${endpoint} --heartbeat ${heartbeat} --liveness 5 --expiry 1500"
titanic
    command = "${bin}/titanicd --endpoint ${endpoint} --heartbeat ${heartbeat} --liveness 5 --retry 100 --timeout 10000"
