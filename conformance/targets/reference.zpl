#   The reference pair of this project and its tools, with short times.
target
    name = "the reference pair"
    endpoint = "tcp://127.0.0.1:5555"
    speaks = "mdp/0.1 mdp/0.2 mmi/0.1 tsp/1.0"
    heartbeat = 100
    expiry = 1500
broker
    command = "${bin}/mdpbroker --endpoint ${endpoint} --heartbeat ${heartbeat} --liveness 5 --expiry 1500"
titanic
    command = "${bin}/titanicd --endpoint ${endpoint} --mdp ${mdp} --heartbeat ${heartbeat} --liveness 5 --retry 100 --timeout 1500 --workers 4 --reply-workers 2 --close-workers 2"
worker
    command = "${bin}/mdpworker --endpoint ${endpoint} --mdp ${mdp} --heartbeat ${heartbeat} --liveness 5 echo"
    slow = "${bin}/mdpworker --endpoint ${endpoint} --mdp ${mdp} --heartbeat ${heartbeat} --liveness 5 --delay 1200 echo"
client
    command = "${bin}/mdpclient --endpoint ${endpoint} --mdp ${mdp} --timeout 1000 --retries 3 ${service} ${body}"
    prints = 1
titanic-client
    command = "${bin}/ticlient --endpoint ${endpoint} --mdp ${mdp} --timeout 1000 --retries 3 --poll 100 call ${service} ${body}"
    prints = 1
